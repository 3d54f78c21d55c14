"""Pulumi's flat configuration becomes the same data as the stack file's YAML."""

from __future__ import annotations

from components.settings.from_pulumi import plain_config


def test_objects_numbers_and_words_come_out_as_in_the_stack_file() -> None:
    values = {
        "ha-lab:number": "9",
        "ha-lab:topology": "full",
        "ha-lab:network": '{"vip": "10.16.9.200"}',
        "ha-lab:drill": '{"allowed": true}',
    }

    assert plain_config(values, project="ha-lab") == {
        "number": 9,
        "topology": "full",
        "network": {"vip": "10.16.9.200"},
        "drill": {"allowed": True},
    }


def test_secrets_and_other_packages_keys_are_left_out() -> None:
    values = {"ha-lab:secrets": "{}", "libvirt:uri": "qemu:///system", "ha-labs:number": "1"}

    assert plain_config(values, project="ha-lab") == {}


def test_unknown_keys_stay_because_pulumi_accepts_them_silently() -> None:
    assert plain_config({"ha-lab:nubmer": "3"}, project="ha-lab") == {"nubmer": 3}


def test_the_default_of_number_means_that_none_is_set() -> None:
    assert plain_config({"ha-lab:number": "-1"}, project="ha-lab") == {}
    assert plain_config({"ha-lab:number": "0"}, project="ha-lab") == {"number": 0}
