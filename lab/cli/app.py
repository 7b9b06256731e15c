"""Commands and their options; what they do stands in one module each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from lab.cli import EXIT_CODES
from lab.cli.completion import Shell
from lab.cli.device_commands import devices_app, orders_app
from lab.cli.fault_commands import faults_app
from lab.cli.onboard_command import onboard
from lab.cli.options import Against, AsJson, Assignments, Number, Seed
from lab.cli.snapshot_commands import snapshot_app
from lab.cli.user_commands import users_app

app = typer.Typer(
    name="switchroom",
    help="A PBX simulator and provisioning server for the lab: boot phones, place calls, run the Deployment Test Plan.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)
phone_app = typer.Typer(help="The lab's phones.", no_args_is_help=True)
calls_app = typer.Typer(help="Calls of a running switchroom.", no_args_is_help=True)
plan_app = typer.Typer(help="Test plans.", no_args_is_help=True)
templates_app = typer.Typer(help="Phone families.", no_args_is_help=True)
provision_app = typer.Typer(help="What a phone is given, and why.", no_args_is_help=True)
fax_app = typer.Typer(help="Faxes of a running switchroom.", no_args_is_help=True)
runs_app = typer.Typer(help="Reports of runs.", no_args_is_help=True)
config_app = typer.Typer(help="Settings and where each comes from.", no_args_is_help=True)
app.add_typer(phone_app, name="phone")
app.add_typer(calls_app, name="calls")
app.add_typer(plan_app, name="plan")
app.add_typer(runs_app, name="runs")
app.add_typer(config_app, name="config")
app.add_typer(templates_app, name="templates")
app.add_typer(provision_app, name="provision")
app.add_typer(devices_app, name="devices")
app.add_typer(orders_app, name="orders")
app.add_typer(users_app, name="users")
app.add_typer(fax_app, name="fax")
app.command()(onboard)
app.add_typer(faults_app, name="faults")
app.add_typer(snapshot_app, name="snapshot")

PlanFile = Annotated[Path, typer.Argument(help="Plan file, or the name of a plan that comes with the house: office.")]


@app.command()
def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the office running afterwards, with its console.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Where the report goes.")] = Path("build/demo"),
    number: Number = None,
    seed: Seed = None,
    assignments: Assignments = None,
) -> None:
    """Rehearse the office plan in virtual time, run it in real time, compare, and write the report."""
    from lab.cli.demo import run_demo
    from lab.cli.inputs import the_settings

    settings = the_settings({"lab.number": number, "lab.seed": seed}, assignments or ())
    raise typer.Exit(run_demo(settings, out, keep=keep))


@app.command()
def up(
    seed: Seed = None,
    port_base: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            "--port-base",
            help="N: console N, provisioning N+1, SIP N+60, TFTP N+69; 0 takes free ports. Setting listen.port_base.",
        ),
    ] = None,
    listen: Annotated[Optional[str], typer.Option(help="Address to listen on. Setting listen.address.")] = None,  # noqa: UP045
    data: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Where state is kept; a temporary folder without it. Setting store.folder."),
    ] = None,
    ready_file: Annotated[Optional[Path], typer.Option(help="Written once every listener answers.")] = None,  # noqa: UP045
    on_ready: Annotated[
        str, typer.Option("--on-ready", help="Command run once it is ready; $READY_FILE names the ready file.")
    ] = "",
    phones: Annotated[
        Optional[bool],  # noqa: UP045
        typer.Option("--phones", help="Also boot the seed's simulated phones. Setting lab.phones."),
    ] = None,
    assignments: Assignments = None,
) -> None:
    """Run PBX, provisioning and console until SIGTERM."""
    from lab.cli.inputs import the_settings
    from lab.cli.up import run_up

    flags = {
        "listen.port_base": port_base, "listen.address": listen, "store.folder": data, "lab.seed": seed,
        "lab.phones": phones,
    }  # fmt: skip
    raise typer.Exit(run_up(the_settings(flags, assignments or ()), ready_file, on_ready, reseed=seed is not None))


@app.command()
def run(
    plan: PlanFile,
    virtual: Annotated[bool, typer.Option("--virtual", help="In virtual time, on a world of its own.")] = False,
    against: Against = None,
    only: Annotated[str, typer.Option("--only", "-k", help="Only cases whose id contains this.")] = "",
    tag: Annotated[str, typer.Option("--tag", help="Only cases with this tag.")] = "",
    without: Annotated[str, typer.Option("--without", help="No cases with this tag: long.")] = "",
    rerun: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--rerun-failed", help="Only what did not pass in this --json file."),
    ] = None,
    shuffle: Annotated[Optional[int], typer.Option("--shuffle", help="Seed of another order.")] = None,  # noqa: UP045
    repeat: Annotated[int, typer.Option("--repeat", help="How often.")] = 1,
    resume: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--resume", help="Go on with an interrupted run: its --jsonl or --json file."),
    ] = None,
    step: Annotated[bool, typer.Option("--step", help="Ask before each case.")] = False,
    tester: Annotated[str, typer.Option("--tester", help="Who runs it, for the report.")] = "",
    evidence: Annotated[
        str, typer.Option("--evidence", help="Of which cases it is kept beside --html: all, failed or none.")
    ] = "all",
    dry: Annotated[bool, typer.Option("--dry-run", help="Say who would do what, and do nothing.")] = False,
    number: Number = None,
    seed: Seed = None,
    json_file: Annotated[Optional[Path], typer.Option("--json", help="Results as JSON.")] = None,  # noqa: UP045
    junit: Annotated[Optional[Path], typer.Option("--junit", help="Results for a CI server.")] = None,  # noqa: UP045
    html: Annotated[Optional[Path], typer.Option("--html", help="The report, one file.")] = None,  # noqa: UP045
    markdown: Annotated[Optional[Path], typer.Option("--md", help="A summary for the page of a CI job.")] = None,  # noqa: UP045
    journal: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--jsonl", help="Each case as a line of JSON, as soon as it is over."),
    ] = None,
    assignments: Assignments = None,
) -> None:
    """Run a plan and say what came of it."""
    from lab.cli.inputs import the_settings
    from lab.cli.plans import the_selection, the_terms
    from lab.cli.run import Wanted, run_there_or_virtually

    settings = the_settings({"lab.number": number, "lab.seed": seed}, assignments or ())
    raise typer.Exit(
        run_there_or_virtually(
            plan,
            settings,
            virtual,
            against,
            lambda read: the_selection(read, only, tag, without, shuffle, repeat, rerun),
            Wanted(json_file, junit, html, markdown, journal),
            the_terms(tester, step, evidence),
            dry=dry,
            resume=resume,
        )
    )


@app.command()
def softphone(
    device: Annotated[str, typer.Argument(help="Device of a softphone's family: baresip or linphone.")],
    against: Against = None,
    address: Annotated[str, typer.Option("--address", help="Its own, for SIP and media; one of 127/8 by itself.")] = "",
    home: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--home", help="Where its files, log and recordings are kept; a temporary folder without it."),
    ] = None,
) -> None:
    """Boot baresip or linphone by what a running switchroom serves, and let its plans press it."""
    from lab.cli.softphone import run_softphone

    raise typer.Exit(run_softphone(against, device, address, home))


@app.command()
def report(
    of: Annotated[Path, typer.Argument(help="What `run --jsonl` or `--json` wrote, of an interrupted run, too.")],
    json_file: Annotated[Optional[Path], typer.Option("--json", help="Results as JSON.")] = None,  # noqa: UP045
    junit: Annotated[Optional[Path], typer.Option("--junit", help="Results for a CI server.")] = None,  # noqa: UP045
    html: Annotated[Optional[Path], typer.Option("--html", help="The page; evidence lies beside.")] = None,  # noqa: UP045
    markdown: Annotated[Optional[Path], typer.Option("--md", help="A summary for the page of a CI job.")] = None,  # noqa: UP045
) -> None:
    """Say what came of a run and write its reports; the exit code is the run's."""
    from lab.cli.reports import report
    from lab.cli.run import Wanted

    raise typer.Exit(report(of, Wanted(json_file, junit, html, markdown)))


@app.command()
def why(
    number: Annotated[str, typer.Argument(help="What is dialled.")],
    caller: Annotated[str, typer.Option("--from", help="Extension, or an outside number.")] = "101",
    at: Annotated[str, typer.Option(help="Moment, `2026-12-25 10:15` on the domain's clock; now without it.")] = "",
    without: Annotated[str, typer.Option(help="Devices taken as not registered, comma-separated.")] = "",
    seed: Seed = None,
    as_json: AsJson = False,
) -> None:
    """Explain where a call would go; nobody rings."""
    from lab.cli.inputs import the_settings
    from lab.cli.why import explain_call

    seed = the_settings({"lab.seed": seed}).lab.seed
    print(explain_call(seed, number, caller, at, without, as_json=as_json))


@app.command("map")
def map_(
    at: Annotated[str, typer.Option(help="Moment, `2026-12-25 10:15` on the domain's clock; now without it.")] = "",
    reaches: Annotated[str, typer.Option("--reaches", help="Only what leads to this extension, number or label.")] = "",
    without: Annotated[str, typer.Option(help="Devices taken as not registered, comma-separated.")] = "",
    seed: Seed = None,
    as_json: AsJson = False,
) -> None:
    """Map where every number leads, and what is wrong with it; exit code 1 when something is."""
    from lab.cli.inputs import the_settings
    from lab.cli.map import map_calls

    text, well = map_calls(the_settings({"lab.seed": seed}).lab.seed, at, reaches, without, as_json=as_json)
    print(text)
    if not well:
        raise typer.Exit(1)


@app.command()
def probe(
    mirror: Annotated[str, typer.Argument(help="HOST:PORT of a switchroom's mirror.")],
    calls: Annotated[int, typer.Option(min=1, max=100, help="How many calls at once the line must carry.")] = 4,
    seconds: Annotated[float, typer.Option(min=1, max=60, help="How long they last.")] = 10.0,
    longest: Annotated[
        int, typer.Option(min=0, max=180, help="Longest silence of the router to try, in seconds; it takes that long.")
    ] = 60,
    dns: Annotated[str, typer.Option(help="A name that must be found.")] = "",
    ntp: Annotated[str, typer.Option(help="A host that must tell the time.")] = "",
    https: Annotated[str, typer.Option(help="A URL that must answer.")] = "",
    as_json: AsJson = False,
) -> None:
    """Assess the network of this place for voice; exit code 1 when it is not fit."""
    from lab.cli.probe import document, page, probe_network

    services = {name: value for name, value in (("dns", dns), ("ntp", ntp), ("https", https)) if value}
    verdict = probe_network(mirror, calls, seconds, longest, services)
    print(document(verdict) if as_json else page(verdict))
    if not verdict.passed:
        raise typer.Exit(1)


@phone_app.command("ls")
def phone_ls(seed: Seed = None, as_json: AsJson = False) -> None:
    """List the phones of a seed."""
    from lab.cli.inputs import the_settings
    from lab.cli.phone import phones

    print(phones(the_settings({"lab.seed": seed}).lab.seed, as_json=as_json))


@phone_app.command("show")
def phone_show(device: str, seed: Seed = None, against: Against = None, as_json: AsJson = False) -> None:
    """Show what provisioning gives a device: its files, and every setting with its origin."""
    from lab.cli.inputs import the_settings
    from lab.cli.phone import phone

    print(phone(device, the_settings({"lab.seed": seed}).lab.seed, against, as_json=as_json))


@calls_app.command("ls")
def calls_ls(against: Against = None, as_json: AsJson = False) -> None:
    """List the calls, newest first."""
    from lab.cli.remote import calls

    print(calls(against, as_json=as_json))


@calls_app.command("show")
def calls_show(call: str, against: Against = None, as_json: AsJson = False) -> None:
    """Show one call: why it went there, and its ladder."""
    from lab.cli.remote import call as one

    print(one(against, call, as_json=as_json))


@calls_app.command("export")
def calls_export(
    call: str,
    against: Against = None,
    out: Annotated[Optional[Path], typer.Option("--out", help="The archive; CALL.zip without it.")] = None,  # noqa: UP045
) -> None:
    """Save a call: its capture (pcapng), ladder, reasons and what happened in words."""
    from lab.cli.remote import export

    print(export(against, call, out))


@app.command()
def trace(
    call: Annotated[str, typer.Argument(help="One call, to its end; everything without it.")] = "",
    plain: Annotated[bool, typer.Option("--plain", help="In words instead of messages.")] = False,
    against: Against = None,
) -> None:
    """Show what happens on a running switchroom, live."""
    from lab.cli.remote import trace as follow

    follow(against, call, plain=plain)


@plan_app.command("check")
def plan_check(plan: PlanFile) -> None:
    """Read a plan and say what is wrong with it."""
    from lab.cli.plans import check

    raise typer.Exit(check(plan))


Mac = Annotated[str, typer.Argument(help="MAC in any spelling, or the id of one of its devices.")]
Folder = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Argument(help="Folder of families; those that come with the house without it."),
]


@templates_app.command("check")
def templates_check(folder: Folder = None) -> None:
    """Load every family, write its golden cases, lint what is written; exit code 1 when something is wrong."""
    from lab.cli.templates import check

    text, well = check(folder)
    print(text)
    if not well:
        raise typer.Exit(1)


@templates_app.command("docs")
def templates_docs(folder: Folder = None) -> None:
    """Print the page on the families: what each is, and how many of its facts are verified."""
    from lab.cli.templates import docs

    print(docs(folder), end="")


@provision_app.command("show")
def provision_show(mac: Mac, seed: Seed = None, against: Against = None, as_json: AsJson = False) -> None:
    """Show a box: its family, lines and files, how it is found and resynced, and what is set for nothing."""
    from lab.cli.inputs import the_settings
    from lab.cli.provision import show

    print(show(mac, the_settings({"lab.seed": seed}).lab.seed, against, as_json=as_json))


@provision_app.command("why")
def provision_why(
    mac: Mac,
    parameter: Annotated[str, typer.Argument(help="Part of a parameter or a setting; everything without it.")] = "",
    seed: Seed = None,
    against: Against = None,
    as_json: AsJson = False,
) -> None:
    """Explain why a box has a value: the formula, its settings, their layers and what they override."""
    from lab.cli.inputs import the_settings
    from lab.cli.provision import why

    print(why(mac, parameter, the_settings({"lab.seed": seed}).lab.seed, against, as_json=as_json))


@provision_app.command("fetch")
def provision_fetch(
    mac: Mac,
    name: Annotated[str, typer.Argument(help="File name; the box's own file without it.")] = "",
    reveal: Annotated[bool, typer.Option("--reveal", help="Show passwords.")] = False,
    seed: Seed = None,
    against: Against = None,
) -> None:
    """Print a file as the box would get it, passwords hidden."""
    from lab.cli.inputs import the_settings
    from lab.cli.provision import fetch

    print(fetch(mac, name, the_settings({"lab.seed": seed}).lab.seed, against, reveal=reveal), end="")


@provision_app.command("diff")
def provision_diff(
    mac: Mac,
    other: Annotated[Optional[Path], typer.Option("--with", help="The other seed.")] = None,  # noqa: UP045
    seed: Seed = None,
    against: Against = None,
) -> None:
    """Show how a box's files differ between two seeds, or a seed and what runs; exit code 1 when they do."""
    from lab.cli.inputs import the_settings
    from lab.cli.provision import diff

    text, same = diff(mac, the_settings({"lab.seed": seed}).lab.seed, other, against)
    if not same:
        print(text)
        raise typer.Exit(1)


@provision_app.command("resync")
def provision_resync(
    mac: Mac,
    reboot: Annotated[bool, typer.Option("--reboot", help="Ask it to start again.")] = False,
    against: Against = None,
) -> None:
    """Ask a registered box of a running switchroom to fetch its configuration, in its maker's words."""
    from lab.cli.remote import resync

    print(resync(against, mac, reboot=reboot))


@provision_app.command("once")
def provision_once(
    mac: Mac,
    settings: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(metavar="NAME=VALUE…", help="Settings; none with --lift."),
    ] = None,
    by: Annotated[str, typer.Option("--by", help="Who says so; your login without it.")] = "",
    until: Annotated[str, typer.Option("--until", help="2026-11-26T18:00, on the domain's clock.")] = "",
    for_min: Annotated[Optional[int], typer.Option("--for-min", min=1, help="For so many minutes.")] = None,  # noqa: UP045
    lift: Annotated[bool, typer.Option("--lift", help="What was said is gone.")] = False,
    resync: Annotated[bool, typer.Option("--resync", help="Ask the box to fetch it now.")] = False,
    against: Against = None,
) -> None:
    """Set values of a box above all its layers, for one fetch or until a time; the domain is not changed."""
    from lab.cli.once import once

    print(once(against, mac, settings or [], by, until=until, for_min=for_min, lift=lift, resync=resync))


@provision_app.command("rotate")
def provision_rotate(
    mac: Mac,
    overlap_h: Annotated[
        int, typer.Option("--overlap-h", min=0, max=2160, help="Hours for which the old credentials are taken, too.")
    ] = 24,
    against: Against = None,
) -> None:
    """Give a box of a running switchroom new passwords and a new token; it goes on with the old ones for a while."""
    from lab.cli.remote import rotate

    print(rotate(against, mac, overlap_h))


@provision_app.command("uploads")
def provision_uploads(
    mac: Mac,
    name: Annotated[str, typer.Argument(help="Fetch this one; without it they are listed.")] = "",
    out: Annotated[Optional[Path], typer.Option("--out", help="Where it goes; its own name without.")] = None,  # noqa: UP045
    against: Against = None,
) -> None:
    """What a box of a running switchroom has sent: logs, what was changed at it, directories."""
    from lab.cli.remote import uploads

    print(uploads(against, mac, name, out))


@provision_app.command("bans")
def provision_bans(
    lift: Annotated[str, typer.Option("--lift", help="Let this address or network in again.")] = "",
    against: Against = None,
) -> None:
    """Who is banned from provisioning by a running switchroom: too many names or tokens were tried there."""
    from lab.cli.remote import bans

    print(bans(against, lift))


@provision_app.command("reveal")
def provision_reveal(
    mac: Mac,
    by: Annotated[str, typer.Option("--by", help="Who asks: it is written down.")],
    against: Against = None,
) -> None:
    """Print the passwords and the URL of a box of a running switchroom."""
    from lab.cli.remote import reveal

    print(reveal(against, mac, by))


@provision_app.command("certificate")
def provision_certificate(
    mac: Mac,
    out: Annotated[Path, typer.Option("--out", help="Where certificate and key go, PEM, for its owner alone.")],
) -> None:
    """Make a certificate whose name is the MAC, as a maker puts one into a phone, signed by the lab's authority."""
    from lab.cli.certificate import make

    print(make(mac, out))


@app.command("dhcp")
def dhcp_(
    kind: Annotated[str, typer.Option("--for", help="dnsmasq, kea, isc or windows.")],
    url: Annotated[str, typer.Option("--url", help="Base URL phones are told; that of the settings without it.")] = "",
    site: Annotated[str, typer.Option("--site", help="For the network of this site.")] = "",
    seed: Seed = None,
    against: Against = None,
) -> None:
    """Print what a DHCP server needs to tell factory-fresh phones where their server is, by provisioning.protocols."""
    from lab.cli.inputs import the_settings
    from lab.cli.provision import snippet

    text, untold = snippet(kind, url, the_settings({"lab.seed": seed}).lab.seed, against, site)
    for family in untold:
        typer.echo(f"✗ {family} is told nothing: provisioning.protocols allows nothing it can fetch by", err=True)
    print(text, end="")


@plan_app.command("schema")
def plan_schema() -> None:
    """Print a JSON Schema of plans, for editors."""
    import json

    from test_plans.runner import VERBS
    from test_plans.schema import schema

    print(json.dumps(schema(VERBS), indent=1))


@plan_app.command("new")
def plan_new(
    call: Annotated[str, typer.Argument(help="A call of a running switchroom: `switchroom calls ls`.")],
    out: Annotated[Optional[Path], typer.Option("--out", help="The plan; printed without it.")] = None,  # noqa: UP045
    against: Against = None,
) -> None:
    """Make a plan of a call: who took part becomes roles, what was seen expectations."""
    from lab.cli.remote import plan_of

    plan_of(against, call, out)


@plan_app.command("import")
def plan_import(
    checklist: Annotated[Path, typer.Argument(help="CSV with columns number, item, expected.")],
    out: Annotated[Optional[Path], typer.Option("--out", help="The plan; printed without it.")] = None,  # noqa: UP045
) -> None:
    """Turn a checklist into a plan that guides a person through it."""
    from lab.cli.checklist import import_checklist

    import_checklist(checklist, out)


@runs_app.command("schema")
def runs_schema() -> None:
    """Print the JSON Schema of reports and of the lines of their journals."""
    import json

    from test_plans.report.schema import schema

    print(json.dumps(schema(), indent=1))


@runs_app.command("diff")
def runs_diff(
    before: Annotated[Path, typer.Argument(help="A report, as --json writes it.")],
    after: Annotated[Path, typer.Argument(help="A later one.")],
) -> None:
    """Say which verdicts changed; exit code 1 when one is worse."""
    from lab.cli.reports import compare

    raise typer.Exit(compare(before, after))


@config_app.command("show")
def config_show(assignments: Assignments = None, as_json: AsJson = False) -> None:
    """Print each setting with its origin."""
    from lab.cli.config import show

    print(show(assignments or (), as_json=as_json))


@app.command()
def reset(
    calls: Annotated[
        bool, typer.Option("--calls", help="End the calls; forget them, records and recordings too.")
    ] = False,
    mail: Annotated[bool, typer.Option("--mail", help="Empty the outbox.")] = False,
    phone: Annotated[str, typer.Option("--phone", help="A device: its box is as it came from the factory.")] = "",
    against: Against = None,
) -> None:
    """Begin anew with a part of a running lab; nothing else changes."""
    from lab.cli.reset import reset as begin_anew

    print(begin_anew(against, calls=calls, mail=mail, phone=phone))


@app.command()
def completion(
    shell: Annotated[
        Shell, typer.Argument(help="For `source <(switchroom completion bash)`, or a file of the shell's own.")
    ],
) -> None:
    """Print what lets a shell complete commands and options; they come from the commands themselves."""
    from lab.cli.completion import print_script

    print_script(app, shell)


@app.command()
def doctor() -> None:
    """Say what this machine has and lacks."""
    from lab.cli.doctor import examine

    raise typer.Exit(examine())


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    print(f"switchroom {installed('switchroom')}")


@fax_app.command("send")
def fax_send(
    file: Annotated[Path, typer.Argument(help="PDF or TIFF.")],
    to: Annotated[str, typer.Option("--to", help="The number to fax to.")],
    account: Annotated[str, typer.Option("--account", help="Fax account; need not be said where there is one.")] = "",
    against: Against = None,
) -> None:
    """Send a document as a fax; what became of it is in `switchroom fax ls`."""
    from lab.cli.remote import fax_send as send

    print(send(against, file, to, account))


@fax_app.command("ls")
def fax_ls(against: Against = None, as_json: AsJson = False) -> None:
    """List the faxes, newest first."""
    from lab.cli.remote import faxes

    print(faxes(against, as_json=as_json))


@fax_app.command("get")
def fax_get(
    fax: str,
    against: Against = None,
    out: Annotated[Optional[Path], typer.Option("--out", help="The file, .pdf or .tif; FAX.pdf without it.")] = None,  # noqa: UP045
) -> None:
    """Save the pages of a fax."""
    from lab.cli.remote import fax_get as get

    print(get(against, fax, out))
