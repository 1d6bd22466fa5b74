"""The pathway editor: list, versions with what changed, and a form that previews before it publishes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from recovery import forms_pathway
from recovery.exceptions import NotFound, RecoveryError
from recovery.pathway_plan import DEFAULT_PLAN, Plan
from recovery.permissions import check_user_can_edit_pathways
from recovery.presenters import pathway_diff
from recovery.presenters.pathway_diff import Comparable
from recovery.presenters.plans import pathway_line
from recovery.selectors import pathways
from recovery.selectors.pathways import VersionSeen
from recovery.services import pathways as services
from recovery.services.pathways import Draft
from recovery.twin.alert_policy import DEFAULT_POLICY
from recovery.twin.profile import PROCEDURES
from recovery.views import door

POLICY_VERSION = "alerts-2"
CATALOGUE = [("", "Any operation"), *((one.key, one.label) for one in PROCEDURES.values())]
RULE_COLUMNS = [(name, label.capitalize()) for name, label in pathway_diff.RULE_WORDS.items() if name != "severity"]
SHIPPED = DEFAULT_POLICY.to_plain()


@dataclass(frozen=True, slots=True)
class Edited:
    """What the form starts from. `version` 0: a new pathway."""

    draft: Draft
    version: int
    running: int

    @property
    def rules(self) -> Sequence[Mapping[str, Any]]:
        """The rules as they stand, and the shipped ones that are off."""
        held = list(self.draft.policy["rules"])
        causes = {rule["cause"] for rule in held}
        return [*held, *(rule for rule in SHIPPED["rules"] if rule["cause"] not in causes)]


def show_pathways(request: HttpRequest) -> HttpResponse:
    check_user_can_edit_pathways(door.person(request))
    rows = [(one, pathway_line(one.seen), PROCEDURES.get(one.seen.procedure)) for one in pathways.newest_pathways()]
    return render(request, "pages/pathways.html", {"rows": rows})


def show_pathway(request: HttpRequest, slug: str) -> HttpResponse:
    """All versions, each with what it changed, and what the newest one plans day by day."""
    check_user_can_edit_pathways(door.person(request))
    versions = pathways.versions_of(slug)
    older = [*versions[1:], None]
    rows = [(one, _changed(before, one)) for one, before in zip(versions, older, strict=True)]
    plan = versions[0].seen.plan
    context = {
        "newest": versions[0],
        "rows": rows,
        "parts": pathway_diff.part_words(plan).items(),
        "days": pathway_diff.by_day(plan),
        "line": pathway_line(versions[0].seen),
    }
    return render(request, "pages/pathway.html", context)


def _changed(before: VersionSeen | None, after: VersionSeen) -> tuple[pathway_diff.Difference, ...]:
    if before is None:
        return ()
    return pathway_diff.differences(pathway_diff.comparable(before), pathway_diff.comparable(after))


@require_http_methods(["GET", "POST"])
def new_pathway(request: HttpRequest) -> HttpResponse:
    check_user_can_edit_pathways(door.person(request))
    draft = Draft("", "", "", 30, SHIPPED, DEFAULT_PLAN.to_plain())
    return _edit(request, Edited(draft, 0, 0))


@require_http_methods(["GET", "POST"])
def edit_pathway(request: HttpRequest, slug: str) -> HttpResponse:
    check_user_can_edit_pathways(door.person(request))
    versions = pathways.versions_of(slug)
    newest = versions[0]
    seen = newest.seen
    draft = Draft(seen.key, seen.name, seen.procedure, seen.days, newest.policy, seen.plan.to_plain())
    return _edit(request, Edited(draft, seen.version, sum(one.running for one in versions)))


def _edit(request: HttpRequest, edited: Edited) -> HttpResponse:
    if request.method != "POST":
        return _form(request, edited, edited.draft, {}, 200)
    post = request.POST.copy()
    if edited.version:
        post["key"] = edited.draft.key
    read = forms_pathway.read(post, edited.rules, POLICY_VERSION)
    if read.draft is None:
        return _form(request, edited, forms_pathway.with_typed(edited.draft, post), read.problems, 422)
    if post.get("do") != "publish":
        return _form(request, edited, read.draft, {}, 200, preview=read.draft)
    base = post.get("base_version", "")
    try:
        pathway, moved = services.publish(
            draft=read.draft,
            base_version=int(base) if base.isdecimal() else -1,
            note=post.get("note", ""),
            move_running=post.get("move_running") == "on",
            user=door.person(request),
            actor=door.actor(request),
            now=door.clock(),
        )
    except NotFound:
        raise
    except RecoveryError as error:
        cell = error.field if error.field in ("note", "key") else ""
        return _form(request, edited, read.draft, {cell: error.message}, 409, preview=read.draft)
    people = f" {moved} running episode{'s' if moved != 1 else ''} moved to it." if moved else ""
    messages.success(request, f"Version {pathway.version} is published.{people}")
    return redirect("pathway", slug=pathway.key)


def _form(
    request: HttpRequest,
    edited: Edited,
    draft: Draft,
    problems: Mapping[str, str],
    status: int,
    preview: Draft | None = None,
) -> HttpResponse:
    on = _rules_on(request, draft)
    context = {
        "edited": edited,
        "draft": draft,
        "parts": forms_pathway.shown(draft.content),
        "rules": pathway_diff.rule_rows(_rules_shown(request, edited, draft), on),
        "rule_columns": RULE_COLUMNS,
        "severities": forms_pathway.SEVERITY_OPTIONS,
        "catalogue": CATALOGUE,
        "problems": problems,
        "post": request.POST,
        "diff": _diff(edited, preview) if preview else None,
        "days": pathway_diff.by_day(Plan.from_plain(preview.content)) if preview else None,
    }
    return render(request, "pages/pathway_edit.html", context, status=status)


def _rules_on(request: HttpRequest, draft: Draft) -> Sequence[str]:
    if request.method == "POST":
        return [name[5:-3] for name in request.POST if name.startswith("rule-") and name.endswith("-on")]
    return [rule["cause"] for rule in draft.policy["rules"]]


def _rules_shown(request: HttpRequest, edited: Edited, draft: Draft) -> Sequence[Mapping[str, Any]]:
    """After a POST the numbers as typed."""
    if request.method != "POST":
        return edited.rules
    names = (*forms_pathway.RULE_NUMBERS, "severity")
    return [
        {**rule, **{name: request.POST.get(f"rule-{rule['cause']}-{name}", rule.get(name)) for name in names}}
        for rule in edited.rules
    ]


def _diff(edited: Edited, preview: Draft) -> tuple[pathway_diff.Difference, ...]:
    return pathway_diff.differences(_comparable(edited.draft), _comparable(preview))


def _comparable(draft: Draft) -> Comparable:
    return Comparable(draft.name, draft.procedure, draft.days, draft.policy, Plan.from_plain(draft.content))
