"""The sentences of a verdict: what was found, what was expected."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lab.drill.events import Judgement
from lab.drill.judge.language import Phrase, seconds
from lab.drill.judge.model import Sentence


class Seconds(float):
    """A value of a sentence that is written as a time."""


SENTENCES: Mapping[str, Phrase] = MappingProxyType(
    {
        "no-steady-state": Phrase(
            "the steady state was never seen, so nothing was measured; expected: clients served "
            "and one VIP owner before anything is broken",
            "l'état stable n'a jamais été constaté, rien n'a donc été mesuré ; attendu : clients "
            "servis et un seul détenteur de la VIP avant toute panne",
        ),
        "no-fault": Phrase(
            "{fault} was never injected completely; expected: the steps inject and injected",
            "{fault} n'a jamais été entièrement injectée ; attendu : les étapes inject et injected",
        ),
        "cut-off": Phrase(
            "the history ends before the drill did; expected: the step end",
            "l'historique s'arrête avant la fin de l'exercice ; attendu : l'étape end",
        ),
        "no-client": Phrase(
            "no client probe has data after the fault; expected at least one",
            "aucune sonde cliente n'a de données après la panne ; attendu : au moins une",
        ),
        "no-data": Phrase(
            "{probe}: no data ({why}); expected: looks until the end of the drill",
            "{probe} : pas de données ({why}) ; attendu : des relevés jusqu'à la fin de l'exercice",
        ),
        "late": Phrase(
            "{probe}: the probe itself asked nothing for {found}; expected a request every "
            "{interval}",
            "{probe} : la sonde elle-même n'a rien demandé pendant {found} ; attendu : une requête "
            "toutes les {interval}",
        ),
        "unsteady": Phrase(
            "{probe}: clients were not served for {found} between the steady state and the fault; "
            "expected: no outage before it",
            "{probe} : clients non servis pendant {found} entre l'état stable et la panne ; "
            "attendu : aucune interruption avant elle",
        ),
        "no-outage": Phrase(
            "{probe}: no outage {after}; at most {limit} expected",
            "{probe} : aucune interruption {after} ; au plus {limit} attendu",
        ),
        "outage": Phrase(
            "{probe}: clients were not served for {found} {after}; at most {limit} expected",
            "{probe} : clients non servis pendant {found} {after} ; au plus {limit} attendu",
        ),
        "undo-outage": Phrase(
            "{probe}: clients were not served for {found} while {fault} was undone; at most "
            "{limit} expected",
            "{probe} : clients non servis pendant {found} lors de la réparation de {fault} ; au "
            "plus {limit} attendu",
        ),
        "never-recovered": Phrase(
            "{probe}: never recovered {after}, {found} without service until the end of the data; "
            "at most {limit} expected",
            "{probe} : jamais rétabli {after}, {found} sans service jusqu'à la fin des données ; "
            "au plus {limit} attendu",
        ),
        "cut-off-outage": Phrase(
            "{probe}: clients were not served for the last {found} of the data {after}, and "
            "nobody looked on; at most {limit} expected",
            "{probe} : clients non servis pendant les derniers {found} des données {after}, "
            "et plus personne n'a regardé ensuite ; au plus {limit} attendu",
        ),
        "until-undone": Phrase(
            "{probe}: clients were served again only when {fault} was undone, so {found} is a "
            "lower bound; expected: service while the fault is in place",
            "{probe} : clients servis de nouveau seulement à la réparation de {fault}, {found} "
            "est donc une borne inférieure ; attendu : un service pendant la panne",
        ),
        "outage-unknown": Phrase(
            "{probe}: whether clients were served is not known for {found} {after}; at most "
            "{limit} without service expected",
            "{probe} : on ignore si les clients ont été servis pendant {found} {after} ; au "
            "plus {limit} sans service attendu",
        ),
        "failed-requests": Phrase(
            "{probe}: {found} failed requests {after}; at most {limit} expected",
            "{probe} : {found} requêtes en échec {after} ; au plus {limit} attendues",
        ),
        "failed-unknown": Phrase(
            "{probe}: {found} requests {after} of which it is not known whether they failed; "
            "at most {limit} failed ones expected",
            "{probe} : {found} requêtes {after} dont on ignore si elles ont échoué ; au plus "
            "{limit} en échec attendues",
        ),
        "two-owners": Phrase(
            "more than {allowed} machine said at the same time that they own {vip}, for {found} "
            "({machines}); at most {limit} expected",
            "plus de {allowed} machine(s) ont dit en même temps détenir {vip}, pendant {found} "
            "({machines}) ; au plus {limit} attendu",
        ),
        "two-answer-arp": Phrase(
            "more than {allowed} machine answered ARP for {vip} at the same time, for {found}; "
            "at most {limit} expected",
            "plus de {allowed} machine(s) ont répondu en même temps en ARP pour {vip}, pendant "
            "{found} ; au plus {limit} attendu",
        ),
        "one-owner": Phrase(
            "no more than {allowed} {owner} at any time in {looks} looks ({sources})",
            "jamais plus de {allowed} {owner} en {looks} relevés ({sources})",
        ),
        "owners-tolerated": Phrase(
            "more than {allowed} machine had {vip} for {found}, which is within the {limit} "
            "that are tolerated",
            "plus de {allowed} machine(s) ont détenu {vip} pendant {found}, dans la limite "
            "tolérée de {limit}",
        ),
        "two-primaries": Phrase(
            "{service}: two machines said {count} times at once that they are primary, for "
            "{found}; expected: never",
            "{service} : deux machines se sont dites primaires en même temps {count} fois, "
            "pendant {found} ; attendu : jamais",
        ),
        "lost-writes": Phrase(
            "{probe}: {found} of {acknowledged} acknowledged writes are not there (the first: "
            "{numbers}); expected: all",
            "{probe} : {found} des {acknowledged} écritures acquittées manquent (les premières : "
            "{numbers}) ; attendu : toutes présentes",
        ),
        "duplicate-writes": Phrase(
            "{probe}: {found} writes are there more than once; expected: each once",
            "{probe} : {found} écritures sont présentes plusieurs fois ; attendu : chacune une "
            "seule fois",
        ),
        "unattempted-writes": Phrase(
            "{probe}: {found} writes are there that nobody sent; expected: none",
            "{probe} : {found} écritures présentes n'ont été envoyées par personne ; attendu : "
            "aucune",
        ),
        "writes-not-looked-for": Phrase(
            "{probe}: nobody looked which of {acknowledged} acknowledged writes are there",
            "{probe} : personne n'a vérifié lesquelles des {acknowledged} écritures acquittées "
            "sont présentes",
        ),
        "writes-kept": Phrase(
            "{probe}: all {acknowledged} acknowledged writes are there, each once",
            "{probe} : les {acknowledged} écritures acquittées sont toutes présentes, une seule "
            "fois chacune",
        ),
        "audit": Phrase(
            "audit {audit}: {detail}",
            "contrôle {audit} : {detail}",
        ),
        "audit-before": Phrase(
            "audit {audit} was not passed before the fault: {detail}",
            "contrôle {audit} non réussi avant la panne : {detail}",
        ),
    }
)


def sentence(code: str, outcome: Judgement, /, **values: object) -> Sentence:
    """One sentence in both languages; a value may be a Phrase itself."""
    en, fr = (
        SENTENCES[code].say(language, **{k: _said(v, language) for k, v in values.items()})
        for language in ("en", "fr")
    )
    return Sentence(code=code, outcome=outcome, en=en, fr=fr)


def _said(value: object, language: str) -> object:
    if isinstance(value, Phrase):
        return value.say(language)
    return seconds(value, language) if isinstance(value, Seconds) else value
