"""Runs: their list, and the change of the active one."""

from dataclasses import asdict

from fastapi import APIRouter, Depends
from starlette.responses import Response

from graphrec.api.answers import encode
from graphrec.api.auth import Require
from graphrec.api.routes.common import PREFIX, ServicesDep, json_response, problems
from graphrec.api.shapes import Activated, PathText, RunOut, RunsOut
from graphrec.store import Store

router = APIRouter(prefix=PREFIX, tags=["runs"], dependencies=[Depends(Require("admin"))])


@router.get("/runs", response_model=RunsOut, responses=problems())
async def get_runs(services: ServicesDep) -> Response:
    """All runs: the active one, those kept for a rollback, and the others."""

    def work(store: Store) -> bytes:
        from graphrec import runs as saved  # these import torch, which takes seconds
        from graphrec.publishing import read_versions
        from graphrec.publishing.run_list import list_runs

        found = list_runs(read_versions(store), saved.list_saved(services.settings.runs))
        names = list(RunOut.model_fields)
        return encode({"runs": [{name: asdict(run)[name] for name in names} for run in found]})

    return json_response(await services.run(work))


@router.post("/runs/{run_id}/activate", response_model=Activated, responses=problems(404, 409))
async def activate(services: ServicesDep, run_id: PathText) -> Response:
    """Make the recommendations of a kept run active again; this worker serves them when the answer comes."""

    def work(store: Store) -> bytes:
        from graphrec.pipeline.publication import roll_back  # imports torch, which takes seconds

        done = roll_back(store, services.settings, run_id)
        services.live.refresh()
        return encode({"run": done.run, "instead_of": done.instead_of})

    return json_response(await services.run(work))
