"""Every word of an exercise that is not of one of its steps, in English and in French."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lab.drill.judge.language import Phrase

WORDS: Mapping[str, Phrase] = MappingProxyType(
    {
        # On the terminal.
        "list": Phrase("Exercises", "Exercices"),
        "begin": Phrase(
            "{title}: stack {stack}, timers {timers}, VIP {vip}.",
            "{title} : stack {stack}, minuteries {timers}, VIP {vip}.",
        ),
        "terminal": Phrase(
            "Type the commands in a second terminal, in the same folder. Here: s and Enter skips a "
            "step, q and Enter ends the exercise; anything else becomes a note in the report.",
            "Tapez les commandes dans un second terminal, dans le même dossier. Ici : s puis "
            "Entrée saute une étape, q puis Entrée termine l'exercice ; le reste devient une note "
            "du rapport.",
        ),
        "preparing": Phrase(
            "looking whether all is well before the step",
            "vérification que tout va bien avant l'étape",
        ),
        "step": Phrase("Step {number} of {total}: {title}", "Étape {number} sur {total} : {title}"),
        "predicted": Phrase(
            "Predicted: at most {seconds} without service ({formula}).",
            "Prédit : au plus {seconds} sans service ({formula}).",
        ),
        "by-hand": Phrase(
            "(no command can do that: its power button, or the tool of its hypervisor)",
            "(aucune commande ne le peut : son bouton, ou l'outil de son hyperviseur)",
        ),
        "waiting": Phrase(
            "watching; {minutes} minutes at most", "j'observe ; {minutes} minutes au plus"
        ),
        "waits-for": Phrase("not yet: {what}", "pas encore : {what}"),
        "seen-vip-moved": Phrase(
            "seen: {victim} no longer has the VIP", "vu : {victim} n'a plus la VIP"
        ),
        "seen-server-down": Phrase(
            "seen: {victim} gets no more requests", "vu : {victim} ne reçoit plus de requêtes"
        ),
        "seen-lab-whole": Phrase(
            "seen: {victim} is back and the lab is well",
            "vu : {victim} est de retour et le lab va bien",
        ),
        "watching-on": Phrase(
            "watching until clients are served again",
            "observation jusqu'au retour du service",
        ),
        "never-served": Phrase(
            "clients are still not served; going on without waiting for it",
            "les clients ne sont toujours pas servis ; je n'attends pas davantage",
        ),
        "measured": Phrase(
            "Measured: {outage} without service (predicted at most {predicted}); for an open "
            "session {session}. {failed} of {total} requests failed. Answered by {before}, then "
            "by {after}.",
            "Mesuré : {outage} sans service (prédit au plus {predicted}) ; pour une session "
            "ouverte {session}. {failed} requêtes sur {total} en échec. Réponses par {before}, "
            "puis par {after}.",
        ),
        "whole-again": Phrase("the lab is whole again", "le lab est de nouveau entier"),
        "not-whole": Phrase(
            "the lab is not whole yet; going on all the same",
            "le lab n'est pas encore entier ; je continue quand même",
        ),
        "ask-note": Phrase(
            "What did you do, what did you see? (one line for the report, or just Enter)",
            "Qu'avez-vous fait, qu'avez-vous vu ? (une ligne pour le rapport, ou seulement Entrée)",
        ),
        "ended-skip": Phrase("skipped", "sautée"),
        "ended-quit": Phrase("ended here", "arrêt ici"),
        "ended-late": Phrase(
            "nothing was seen within {minutes} minutes: not measured",
            "rien vu en {minutes} minutes : pas de mesure",
        ),
        "ended-interrupted": Phrase("interrupted", "interrompue"),
        "impossible": Phrase("not possible here: {why}", "impossible ici : {why}"),
        "left-off": Phrase(
            "in case {victim} is still without power: {command}",
            "au cas où {victim} serait encore sans alimentation : {command}",
        ),
        "writing": Phrase("writing the report", "rédaction du rapport"),
        "wrote": Phrase(
            "wrote {path} (and .md, and the histories)",
            "rapport écrit : {path} (avec .md et les historiques)",
        ),
        "nothing-measured": Phrase(
            "nothing was measured, so there is no report",
            "rien n'a été mesuré : pas de rapport",
        ),
        "interrupted": Phrase(
            "interrupted; nothing is put right by itself, look with `lab check {stack}`",
            "interrompu ; rien n'est réparé tout seul, voyez avec `lab check {stack}`",
        ),
        # In the report.
        "title": Phrase("Exercise: {title}", "Exercice : {title}"),
        "student": Phrase("Name: {name}", "Nom : {name}"),
        "nobody": Phrase("______________", "______________"),
        "date": Phrase("Begun: {when}", "Début : {when}"),
        "caption": Phrase(
            "The steps that were taken by hand. ± is the resolution of the measurement. The "
            "outage is that of new connections; a session that was open waits for TCP besides.",
            "Les étapes faites à la main. ± est la résolution de la mesure. L'interruption est "
            "celle de nouvelles connexions ; une session ouverte attend en plus TCP.",
        ),
        "column-step": Phrase("step", "étape"),
        "column-note": Phrase("what I did and saw", "ce que j'ai fait et vu"),
        "column-outage": Phrase("measured outage", "interruption mesurée"),
        "column-predicted": Phrase("predicted at most", "prédit au plus"),
        "column-session": Phrase("open session", "session ouverte"),
        "column-failed": Phrase("failed requests", "requêtes en échec"),
        "column-answered": Phrase("answered by", "réponses par"),
        "conclusions": Phrase("My conclusions", "Mes conclusions"),
        "in-detail": Phrase("The measurements in detail", "Les mesures en détail"),
        "none": Phrase("nobody", "personne"),
    }
)


def say(key: str, language: str, **values: object) -> str:
    """One phrase, filled in."""
    return WORDS[key].say(language, **values)
