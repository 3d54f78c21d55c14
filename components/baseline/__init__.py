"""What every machine of a lab is before it has a service: names, SSH, clock, updates, firewall."""
