/** Jobs with their progress, workflows as graphs, schedules. */
import { useState } from "preact/hooks";
import { get, post } from "../api.js";
import { ago, duration } from "../format.js";
import { Badge, Empty, Failure, Panel, Progress, Table } from "../parts/basic.js";
import { Dialog } from "../parts/dialog.js";
import { Graph, type Vertex } from "../parts/graph.js";
import { useLive, useLoaded } from "../store.js";
import type { Job, Schedule, Step } from "../types.js";

const tones = {
  queued: "idle",
  running: "accent",
  done: "ok",
  failed: "bad",
  cancelled: "idle",
  superseded: "idle",
} as const;

export function Jobs() {
  const jobs = useLive((live) => live.jobs);
  const [opened, setOpened] = useState<string>();
  const [asked, setAsked] = useState<Job>();
  const [error, setError] = useState<unknown>();
  const schedules = useLoaded(() => get<{ schedules: Schedule[] }>("/schedules"), [], 10_000);
  const shown = jobs.find((job) => job.id === opened);
  const cancel = (job: Job): void => {
    setAsked(undefined);
    setError(undefined);
    post(`/jobs/${job.id}/cancel`).catch(setError);
  };
  return (
    <>
      <Failure error={error} />
      <Panel title="Jobs" wide>
        {jobs.length === 0 ? (
          <Empty
            title="No job has run yet."
            command="tmc node call model.train --arg name=vibration --arg data=vibration --arg detach=true"
          >
            <p>Training, deployment and workflows run as jobs:</p>
          </Empty>
        ) : (
          <Table label="Jobs" numeric={["Time"]} head={["Job", "Subject", "State", "Progress", "Time", ""]}>
            {jobs.slice(0, 100).map((job) => (
              <tr key={job.id}>
                <th scope="row">
                  <button type="button" class="link" onClick={() => setOpened(job.id)}>
                    {job.operation}
                  </button>
                  <small class="muted">{job.id}</small>
                </th>
                <td>{job.subject}</td>
                <td>
                  <Badge tone={tones[job.state]}>{job.state}</Badge>
                </td>
                <td class="progress-cell">
                  <Progress
                    value={job.state === "done" ? 1 : job.progress}
                    label={`${job.operation} of ${job.subject}`}
                  />
                  <small class="muted">
                    {job.error === undefined ? job.text : `${job.error.code}: ${job.error.text ?? ""}`}
                  </small>
                </td>
                <td class="num">{timeOf(job)}</td>
                <td class="row-actions">
                  {job.endedAt === undefined ? (
                    <button
                      type="button"
                      aria-label={`Cancel ${job.operation} of ${job.subject}`}
                      onClick={() => setAsked(job)}
                    >
                      Cancel
                    </button>
                  ) : null}
                </td>
              </tr>
            ))}
          </Table>
        )}
      </Panel>
      <Panel title="Schedules" wide>
        <Failure error={schedules.error} />
        {(schedules.value?.schedules ?? []).length === 0 ? (
          <Empty
            title="Nothing is scheduled."
            command={`tmc node call task.schedule --arg name=hourly --arg everyS=3600 --arg 'order={"operation":"node.monitor"}'`}
          />
        ) : (
          <Table label="Schedules" head={["Schedule", "When", "Order", "Next", "Last"]}>
            {schedules.value?.schedules.map((each) => (
              <tr key={each.name}>
                <th scope="row">{each.name}</th>
                <td>{each.when}</td>
                <td>{each.order.operation}</td>
                <td>{each.next ?? "–"}</td>
                <td class={each.lastError === undefined ? undefined : "bad"}>
                  {each.lastError ?? each.last ?? "–"}
                </td>
              </tr>
            ))}
          </Table>
        )}
      </Panel>
      {shown === undefined ? null : <JobDrawer job={shown} onClose={() => setOpened(undefined)} />}
      {asked === undefined ? null : (
        <Dialog title="Cancel this job?" onClose={() => setAsked(undefined)}>
          <p>
            {asked.operation} of {asked.subject}: what it has done so far is lost, unless it was kept.
          </p>
          <div class="dialog-actions">
            <button type="button" onClick={() => setAsked(undefined)}>
              Let it run
            </button>
            <button type="button" class="danger" onClick={() => cancel(asked)}>
              Cancel the job
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}

function timeOf({ createdAt, startedAt, endedAt }: Job): string {
  const from = Date.parse(startedAt ?? createdAt);
  return duration(Math.max(0, (endedAt === undefined ? Date.now() : Date.parse(endedAt)) - from) / 1000);
}

/** Steps whose order is not told come one after the other. */
export function verticesOf(steps: readonly Step[]): Vertex[] {
  const ordered = steps.some((step) => step.after !== undefined);
  return steps.map((step, i) => ({
    id: step.name,
    title: step.name,
    note: [step.state, step.node, step.attempts > 1 ? `${step.attempts} attempts` : undefined]
      .filter((each) => each !== undefined)
      .join(", "),
    tone: step.state,
    after: ordered ? (step.after ?? []) : steps.slice(Math.max(0, i - 1), i).map((before) => before.name),
  }));
}

function JobDrawer({ job, onClose }: { job: Job; onClose: () => void }) {
  return (
    <Dialog
      kind={job.steps === undefined ? "drawer" : "drawer wide"}
      title={`${job.operation} of ${job.subject}`}
      onClose={onClose}
    >
      <p>
        <Badge tone={tones[job.state]}>{job.state}</Badge> {job.text}
      </p>
      <Progress value={job.state === "done" ? 1 : job.progress} label="Progress" />
      <p class="muted">
        {job.id}, asked by {job.sender} {ago(job.createdAt)}, {timeOf(job)}
      </p>
      {job.error === undefined ? null : (
        <p class="failure">
          {job.error.code}
          {job.error.field === undefined ? "" : ` in ${job.error.field}`}: {job.error.text}
        </p>
      )}
      {job.steps === undefined ? null : (
        <>
          <h3>Steps</h3>
          <Graph label="Steps" vertices={verticesOf(job.steps)} />
          <ul class="plain">
            {job.steps
              .filter((step) => step.error !== undefined)
              .map((step) => (
                <li key={step.name} class="bad">
                  {step.name}: {step.error}
                </li>
              ))}
          </ul>
        </>
      )}
      {job.result === undefined ? null : (
        <>
          <h3>Result</h3>
          <pre tabIndex={0}>{JSON.stringify(job.result, undefined, 2)}</pre>
        </>
      )}
    </Dialog>
  );
}
