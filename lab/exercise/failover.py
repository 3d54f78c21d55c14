"""The course's own exercise: test the failover, see that traffic moves, document the times."""

from __future__ import annotations

from components.timers import Timers
from lab.drill.events import Prediction
from lab.drill.judge.language import Phrase
from lab.drill.model import Fault, Text, Victims
from lab.drill.scene import Scene
from lab.drill.target import Target
from lab.drill.tiers import app_server, load_balancer
from lab.errors import LabError
from lab.exercise.model import Action, Effect, Exercise, ExerciseStep

RETURN = "vip-owner-return"
"""The one step that is no fault of the drill: there, a return is the undoing of another."""


async def without_power(scene: Scene) -> Victims:
    """The load balancer that is off. Raises LabError where there is none."""
    for machine in scene.target.with_role("load_balancer"):
        if not await scene.control.is_on(machine):
            return (machine,)
    msg = "every load balancer has power: there is none to put back"
    raise LabError(msg)


async def by_hand(_scene: Scene, victims: Victims) -> None:
    """Nobody but a person does it."""
    msg = f"{RETURN} of {', '.join(victims)} is done by hand, in an exercise"
    raise LabError(msg)


def no_outage(_timers: Timers, _target: Target) -> Prediction:
    """Two BACKUPs with `nopreempt`, whatever the timers are."""
    return Prediction(seconds=0.0, formula="0 s: it comes back as BACKUP and takes nothing away")


COMES_BACK = Fault(
    name=RETURN,
    title=Text("The former owner comes back", "L'ancien propriétaire revient"),
    resolve=without_power,
    inject=by_hand,
    undo=by_hand,
    predict=no_outage,
    why_not=load_balancer.why_no_failover,
)

STOP_KEEPALIVED = ExerciseStep(
    fault=load_balancer.STOP,
    tier=load_balancer.NAME,
    action=Action(
        Phrase(
            "Stop keepalived on {victim}, which has the VIP.",
            "Arrêtez keepalived sur {victim}, qui détient la VIP.",
        ),
        lambda hands, victim: hands.on(victim, "sudo systemctl stop keepalived"),
    ),
    expect=Phrase(
        "{victim} lets open connections end, then takes its leave with an advert of priority 0; "
        "the other one takes the VIP at once, for nobody has to find out that it is gone.",
        "{victim} laisse finir les connexions ouvertes, puis fait ses adieux par une annonce de "
        "priorité 0 ; l'autre prend la VIP aussitôt : personne n'a à découvrir son absence.",
    ),
    effect=Effect.VIP_MOVED,
    repair=Action(
        Phrase(
            "Start keepalived on {victim} again.",
            "Redémarrez keepalived sur {victim}.",
        ),
        lambda hands, victim: hands.on(victim, "sudo systemctl start keepalived"),
    ),
)


def stop_engine(
    fault: Fault, name: str, unit: str, with_nginx: ExerciseStep | None = None
) -> ExerciseStep:
    """The load balancer program is stopped; `name` as people write it."""
    return ExerciseStep(
        fault=fault,
        tier=load_balancer.NAME,
        action=Action(
            Phrase(
                f"Stop {name} on {{victim}}, which has the VIP.",
                f"Arrêtez {name} sur {{victim}}, qui détient la VIP.",
            ),
            lambda hands, victim: hands.on(victim, f"sudo systemctl stop {unit}"),
        ),
        expect=Phrase(
            "keepalived must find out with its check; until then the VIP is on a machine where "
            "nobody answers.",
            "keepalived doit le découvrir par son test ; d'ici là, la VIP est sur une machine où "
            "personne ne répond.",
        ),
        effect=Effect.VIP_MOVED,
        repair=Action(
            Phrase(f"Start {name} on {{victim}} again.", f"Redémarrez {name} sur {{victim}}."),
            lambda hands, victim: hands.on(victim, f"sudo systemctl start {unit}"),
        ),
        with_nginx=with_nginx,
    )


STOP_NGINX = stop_engine(load_balancer.NGINX_STOPPED, "nginx", "ha-lab-nginx-lb")
STOP_HAPROXY = stop_engine(load_balancer.HAPROXY_STOPPED, "HAProxy", "haproxy", STOP_NGINX)

KILL_APP = ExerciseStep(
    fault=app_server.KILLED,
    tier=app_server.NAME,
    action=Action(
        Phrase(
            "Kill the web server of {victim}.",
            "Tuez le serveur web de {victim}.",
        ),
        lambda hands, victim: hands.on(victim, "sudo systemctl kill -s KILL nginx"),
    ),
    expect=Phrase(
        "The VIP stays where it is. The load balancer takes {victim} out of service; a request "
        "that was refused there is repeated on another server, where the timers allow it.",
        "La VIP reste où elle est. Le répartiteur retire {victim} du service ; une requête refusée "
        "est renvoyée à un autre serveur, si les minuteries le permettent.",
    ),
    effect=Effect.SERVER_DOWN,
    repair=Action(
        Phrase("Start the web server of {victim} again.", "Redémarrez le serveur web de {victim}."),
        lambda hands, victim: hands.on(victim, "sudo systemctl start nginx"),
    ),
)

POWER_OFF = ExerciseStep(
    fault=load_balancer.POWER_OFF,
    tier=load_balancer.NAME,
    action=Action(
        Phrase(
            "Take the power of {victim} away, which has the VIP.",
            "Coupez l'alimentation de {victim}, qui détient la VIP.",
        ),
        lambda hands, victim: hands.power_off(victim),
    ),
    expect=Phrase(
        "Nobody takes leave: the other one must miss three adverts before it takes the VIP.",
        "Personne ne fait ses adieux : l'autre doit manquer trois annonces avant de la prendre.",
    ),
    effect=Effect.VIP_MOVED,
    repair=None,
)

PUT_BACK = ExerciseStep(
    fault=COMES_BACK,
    tier=load_balancer.NAME,
    action=Action(
        Phrase(
            "Switch {victim} on again.",
            "Rallumez {victim}.",
        ),
        lambda hands, victim: hands.power_on(victim),
    ),
    expect=Phrase(
        "It comes back as BACKUP and leaves the VIP where it is (nopreempt), so that a return "
        "costs nothing. The step ends when the whole lab is well again.",
        "Elle revient comme BACKUP et laisse la VIP où elle est (nopreempt) : un retour ne coûte "
        "rien. L'étape se termine quand tout le lab va bien.",
    ),
    effect=Effect.LAB_WHOLE,
    repair=None,
    begins_whole=False,
)

FAILOVER = Exercise(
    name="failover",
    title=Text("Test the failover of the load balancers", "Tester la bascule des répartiteurs"),
    text=Text(
        "You break one thing after the other by hand, in a second terminal; here you see what "
        "clients suffer, beside what the timers promise. The report is yours to complete.",
        "Vous cassez une chose après l'autre à la main, dans un second terminal ; ici s'affiche ce "
        "que subissent les clients, à côté de ce que promettent les minuteries. À vous de "
        "compléter le rapport.",
    ),
    steps=(STOP_KEEPALIVED, STOP_HAPROXY, KILL_APP, POWER_OFF, PUT_BACK),
    questions=(
        Phrase(
            "Which failure cost the clients most, and which timer decides how long it lasts?",
            "Quelle panne a coûté le plus aux clients, et quelle minuterie décide de sa durée ?",
        ),
        Phrase(
            "Where is the measured time not the predicted one, and why?",
            "Où le temps mesuré n'est-il pas le temps prédit, et pourquoi ?",
        ),
        Phrase(
            "Which level of availability would this service keep with one failure a week?",
            "Quel niveau de disponibilité ce service tiendrait-il avec une panne par semaine ?",
        ),
        Phrase(
            "Which setting would you change, and what would it cost?",
            "Quel réglage changeriez-vous, et à quel prix ?",
        ),
    ),
)
