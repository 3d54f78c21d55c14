"""Every word of the reports that a reader sees, in English and in French.

The sentences of a verdict itself are in `judge/sentences.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lab.drill.judge.language import Phrase

WORDS: Mapping[str, Phrase] = MappingProxyType(
    {
        # The whole report.
        "title": Phrase("Failover times of {stack}", "Temps de basculement de {stack}"),
        "intro": Phrase(
            "The lab was broken on purpose, one fault at a time, while clients outside it kept "
            "asking for a page through the VIP at a fixed rate. The outage is the time for which "
            "such a client got no good answer in time: that is what a user would have suffered.",
            "Le lab a été mis en panne exprès, une panne à la fois, pendant que des clients "
            "extérieurs demandaient une page par la VIP à un rythme fixe. L'interruption est le "
            "temps pendant lequel un tel client n'a pas reçu de bonne réponse à temps : c'est ce "
            "qu'un utilisateur aurait subi.",
        ),
        "context": Phrase(
            "stack {stack} · timers {timers} · machines broken through {provider} · {runs} drills",
            "stack {stack} · minuteries {timers} · machines mises en panne par {provider} · "
            "{runs} exercices",
        ),
        "context-by-hand": Phrase(
            "stack {stack} · timers {timers} · broken by hand · steps measured: {runs}",
            "stack {stack} · minuteries {timers} · pannes faites à la main · étapes mesurées : "
            "{runs}",
        ),
        "taken": Phrase("First drill: {wall}", "Premier exercice : {wall}"),
        "no-verdicts": Phrase("No drill was run.", "Aucun exercice n'a été effectué."),
        "overall-pass": Phrase(
            "All {runs} drills passed.", "Les {runs} exercices sont tous réussis."
        ),
        "overall-other": Phrase(
            "{failed} of {runs} drills failed, {unknown} could not be judged.",
            "{failed} exercices sur {runs} en échec, {unknown} impossibles à juger.",
        ),
        "pass": Phrase("pass", "réussi"),
        "fail": Phrase("fail", "échec"),
        "unknown": Phrase("unknown", "inconnu"),
        "none": Phrase("No fault", "Aucune panne"),
        "no-data": Phrase("no data", "pas de données"),
        # The summary.
        "summary": Phrase("Measured and predicted", "Mesuré et prédit"),
        "summary-caption": Phrase(
            "Outage of the client that suffered most, by fault; sessions that were open wait for "
            "TCP's own timers besides and are told apart below. ± is the resolution, the longest "
            "time between two of its requests: an outage is never longer than the number, and at "
            "most two resolutions shorter. Of several runs: median / 95th percentile / longest "
            "(nearest rank). The ratio is the longest outage divided by the predicted one; up to 1 "
            "the timers hold what they promise.",
            "Interruption du client le plus touché, par panne ; les sessions ouvertes attendent en "
            "plus les minuteries de TCP et figurent à part plus bas. ± est la résolution, le plus "
            "long temps entre deux de ses requêtes : l'interruption n'est jamais plus longue que "
            "le nombre, et plus courte de deux résolutions au plus. Sur plusieurs exécutions : "
            "médiane / 95e centile / maximum (rang le plus proche). Le rapport est la plus longue "
            "interruption divisée par la durée prédite ; jusqu'à 1, les minuteries tiennent leur "
            "promesse.",
        ),
        "fault": Phrase("fault", "panne"),
        "timers": Phrase("timers", "minuteries"),
        "victims": Phrase("on", "sur"),
        "outage": Phrase("outage", "interruption"),
        "outage-runs": Phrase("outage median / p95 / max", "interruption méd. / p95 / max"),
        "predicted": Phrase("predicted", "prédit"),
        "ratio": Phrase("ratio", "rapport"),
        "requests": Phrase("failed / slow / all", "échecs / lents / total"),
        "verdict": Phrase("verdict", "verdict"),
        "formula": Phrase(
            "{fault}: predicted {found} = {formula}", "{fault} : prédit {found} = {formula}"
        ),
        "formulas": Phrase("Where the predictions come from", "D'où viennent les prédictions"),
        "formulas-text": Phrase(
            "Each is an upper bound, computed from the stack's timers.",
            "Chacune est une borne supérieure, calculée à partir des minuteries de la stack.",
        ),
        "reasons": Phrase("What was found", "Constats"),
        "run-of": Phrase("{fault}, run {run}", "{fault}, exécution {run}"),
        # One fault.
        "done": Phrase(
            "{fault}: done {runs} times, with the timers {timers}.",
            "{fault} : effectuée {runs} fois, avec les minuteries {timers}.",
        ),
        "done-once": Phrase(
            "{fault}, with the timers {timers}.",
            "{fault}, avec les minuteries {timers}.",
        ),
        "no-victims": Phrase("no machine", "aucune machine"),
        "steps-taken": Phrase(
            "The fault was injected within {injection}; clients were watched until it was "
            "undone after {undo}.",
            "La panne a été injectée en {injection} ; les clients ont été observés jusqu'à sa "
            "réparation au bout de {undo}.",
        ),
        "steps-by-hand": Phrase(
            "Done by hand: when it began is known to {injection}.",
            "Fait à la main : le début est connu à {injection} près.",
        ),
        "steps-kept": Phrase(
            "The fault was injected within {injection}, and not undone.",
            "La panne a été injectée en {injection}, et n'a pas été réparée.",
        ),
        "detected": Phrase(
            "The VIP moved from {old} to {new}: seen {source} after {detection} (the look "
            "before was {within} earlier).",
            "La VIP est passée de {old} à {new} : constaté {source} au bout de {detection} "
            "(relevé précédent {within} plus tôt).",
        ),
        "seen-wire": Phrase("on the wire (ARP)", "sur le réseau (ARP)"),
        "seen-machine": Phrase("by {machine} itself", "par {machine} elle-même"),
        "taken-over": Phrase(
            "From then on it took {takeover} until all clients were served.",
            "Il a fallu ensuite {takeover} pour que tous les clients soient servis.",
        ),
        "shown-run": Phrase(
            "Shown is run {run}, the one with the longest outage. ",
            "L'exécution {run} est montrée, celle de la plus longue interruption. ",
        ),
        "of-run": Phrase("run {run}: {text}", "exécution {run} : {text}"),
        "runs": Phrase("Runs", "Exécutions"),
        "runs-caption": Phrase(
            "Each run: {fault}.",
            "Chaque exécution : {fault}.",
        ),
        "run": Phrase("run", "exécution"),
        "session": Phrase("open session", "session ouverte"),
        "detection": Phrase("detection", "détection"),
        "takeover": Phrase("takeover", "reprise"),
        "clients-caption": Phrase(
            "What each client saw (run {run}). Latencies are those of good answers.",
            "Ce que chaque client a vu (exécution {run}). Les latences sont celles des bonnes "
            "réponses.",
        ),
        "client": Phrase("client", "client"),
        "undo-outage": Phrase("during the undoing", "pendant la réparation"),
        "balancers": Phrase("through", "par"),
        "latency": Phrase("latency p50 / p99 / max", "latence p50 / p99 / max"),
        "outages-caption": Phrase(
            "Every outage of run {run}, in seconds after the fault was begun.",
            "Toutes les interruptions de l'exécution {run}, en secondes après le début de la "
            "panne.",
        ),
        "begin": Phrase("begin", "début"),
        "end": Phrase("end", "fin"),
        "phase": Phrase("phase", "phase"),
        "phase-before": Phrase("before the fault", "avant la panne"),
        "phase-fault": Phrase("under the fault", "pendant la panne"),
        "phase-undo": Phrase("during the undoing", "pendant la réparation"),
        "writes-caption": Phrase(
            "Numbered writes of run {run}: every acknowledged one must be there, once.",
            "Écritures numérotées de l'exécution {run} : chaque écriture acquittée doit être "
            "présente, une seule fois.",
        ),
        "acknowledged": Phrase("acknowledged", "acquittées"),
        "lost": Phrase("lost", "perdues"),
        "duplicates": Phrase("duplicates", "en double"),
        "unattempted": Phrase("never sent", "jamais envoyées"),
        "doubtful": Phrase("answer lost", "réponse perdue"),
        "audits-caption": Phrase("Audits of run {run}.", "Contrôles de l'exécution {run}."),
        "audit": Phrase("audit", "contrôle"),
        "detail": Phrase("found", "constat"),
        # Plots.
        "plot-zoom": Phrase("Around the failover", "Autour du basculement"),
        "plot-whole": Phrase("The whole drill", "Tout l'exercice"),
        "plot-alt": Phrase(
            "{fault}, from {begin} to {end} after the fault was begun: every request of each "
            "client by its latency, and who owned the VIP. Outages: {outages}. VIP: {owners}.",
            "{fault}, de {begin} à {end} après le début de la panne : chaque requête de chaque "
            "client selon sa latence, et le détenteur de la VIP. Interruptions : {outages}. "
            "VIP : {owners}.",
        ),
        "plot-outage": Phrase("{probe}: {begin} to {end}", "{probe} : {begin} à {end}"),
        "plot-legend": Phrase(
            "Bars and dots: good answers, from the fastest to the slowest of each moment. "
            "Triangles: slow. Crosses: failed. Squares: not known. Hatched: outage. The lanes "
            "below say who had the VIP, by each source.",
            "Barres et points : bonnes réponses, de la plus rapide à la plus lente de chaque "
            "instant. Triangles : lentes. Croix : échecs. Carrés : inconnu. Hachures : "
            "interruption. Les pistes du bas disent qui détenait la VIP, selon chaque source.",
        ),
        "no-history": Phrase(
            "The history of this run is not at hand, so there is no plot.",
            "L'historique de cette exécution n'est pas disponible : pas de graphique.",
        ),
        "nothing": Phrase("none", "aucune"),
        "axis-time": Phrase(
            "seconds after the fault was begun", "secondes après le début de la panne"
        ),
        "mark-fault": Phrase("fault", "panne"),
        "mark-undo": Phrase("undo", "réparation"),
        "mark-predicted": Phrase("predicted", "prédit"),
        "mark-slow": Phrase("slow", "lent"),
        "lane-wire": Phrase("on the wire (ARP)", "sur le réseau (ARP)"),
        "lane-machine": Phrase("{machine} itself", "{machine} elle-même"),
        "lane-primary": Phrase("primary, {service}", "primaire, {service}"),
        "distribution": Phrase("All runs", "Toutes les exécutions"),
        "distribution-alt": Phrase(
            "Outage of every run by fault, on a logarithmic axis of seconds; the same numbers are "
            "in the table of this section.",
            "Interruption de chaque exécution par panne, sur un axe logarithmique en secondes ; "
            "les mêmes nombres sont dans le tableau de cette section.",
        ),
        "distribution-legend": Phrase(
            "Dots: runs; hollow ones had no outage and stand at the resolution. Bar: median. "
            "Diamond: predicted. Dotted bar: limit.",
            "Points : exécutions ; les points vides sont sans interruption et placés à la "
            "résolution. Barre : médiane. Losange : prédit. Barre pointillée : limite.",
        ),
        "distribution-caption": Phrase("Spread over the runs.", "Répartition sur les exécutions."),
        "axis-outage": Phrase("outage in seconds", "interruption en secondes"),
        "fastest": Phrase("shortest", "plus courte"),
        "median": Phrase("median", "médiane"),
        "p95": Phrase("p95", "p95"),
        "longest": Phrase("longest", "plus longue"),
        "limit": Phrase("limit", "limite"),
        "count-runs": Phrase("runs", "exécutions"),
        # Availability.
        "sla": Phrase("What it means for an SLA", "Ce que cela signifie pour un SLA"),
        "sla-text": Phrase(
            "A level of availability is a budget of seconds without service. The longest outage "
            "measured (at least the resolution) says how many such failures fit into it. "
            "Availability = MTBF / (MTBF + MTTR), with the outage as MTTR. Only what was measured "
            "is counted: no maintenance, no failures of two things at once.",
            "Un niveau de disponibilité est un budget de secondes sans service. La plus longue "
            "interruption mesurée (au moins la résolution) dit combien de pannes de ce genre y "
            "tiennent. Disponibilité = MTBF / (MTBF + MTTR), avec l'interruption comme MTTR. Seul "
            "ce qui a été mesuré compte : ni maintenance, ni deux pannes à la fois.",
        ),
        "levels-caption": Phrase(
            "The course's levels of availability.", "Les niveaux de disponibilité du cours."
        ),
        "level": Phrase("availability", "disponibilité"),
        "downtime-year": Phrase("downtime a year", "interruption par an"),
        "downtime-month": Phrase("downtime a month", "interruption par mois"),
        "failures-caption": Phrase(
            "How many such failures a year each level allows, and the availability with one a "
            "month and one a week.",
            "Combien de pannes de ce genre chaque niveau permet par an, et la disponibilité avec "
            "une par mois et une par semaine.",
        ),
        "allowed-caption": Phrase(
            "How many such failures a year each level allows.",
            "Combien de pannes de ce genre chaque niveau permet par an.",
        ),
        "at-monthly": Phrase("one a month", "une par mois"),
        "at-weekly": Phrase("one a week", "une par semaine"),
        # What the words mean.
        "glossary": Phrase("What the words mean", "Le sens des mots"),
        "term-outage": Phrase("Outage", "Interruption"),
        "term-outage-text": Phrase(
            "From the start of the last good request before the first that was not good, to the "
            "start of the first of {k} good ones in a row. At most one interval too long at each "
            "end, never too short.",
            "Du début de la dernière bonne requête avant la première mauvaise, au début de la "
            "première de {k} bonnes à la suite. Trop longue d'un intervalle au plus de chaque "
            "côté, jamais trop courte.",
        ),
        "term-slow": Phrase("Slow", "Lente"),
        "term-slow-text": Phrase(
            "Answered as expected, but only after {slow}: for a user that is no service.",
            "Répondue comme attendu, mais après plus de {slow} : pour un utilisateur ce n'est pas "
            "un service.",
        ),
        "term-detection": Phrase("Detection", "Détection"),
        "term-detection-text": Phrase(
            "From the moment the fault was about to be injected until a new owner of the VIP was "
            "seen; the time of the command that injects it is included.",
            "Du moment où la panne allait être injectée jusqu'au constat d'un nouveau détenteur de "
            "la VIP ; le temps de la commande d'injection est compris.",
        ),
        "term-takeover": Phrase("Takeover", "Reprise"),
        "term-takeover-text": Phrase(
            "From then until every client was served again.",
            "De là jusqu'à ce que tous les clients soient de nouveau servis.",
        ),
        "term-unknown": Phrase("Unknown", "Inconnu"),
        "term-unknown-text": Phrase(
            "The data does not allow a verdict: a probe died or was late, the lab was not steady, "
            "the drill was cut short. It is never counted as passed.",
            "Les données ne permettent pas de juger : sonde morte ou en retard, lab instable, "
            "exercice interrompu. Ce n'est jamais compté comme réussi.",
        ),
        # Units.
        "days": Phrase("{n} days", "{n} jours"),
        "hours": Phrase("{n} hours", "{n} heures"),
        "minutes": Phrase("{n} minutes", "{n} minutes"),
        "seconds": Phrase("{n} seconds", "{n} secondes"),
        "any-number": Phrase("any number", "sans limite"),
    }
)
