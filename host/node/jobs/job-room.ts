/** Which jobs may start now: so many at a time, of each kind of work, and one for each subject. It starts nothing. */
import type { JobEntry } from "./job-table.js";
import type { JobKind, JobSummary } from "./jobs.js";

/** Jobs at a time that do work, and that only coordinate what others do. */
export interface JobRoom {
  readonly work: number;
  readonly coordination: number;
}

/** Of `open`, the jobs that have not ended in order of making, those that may start now. */
export function startable(
  open: Iterable<JobEntry>,
  kindOf: (entry: JobEntry) => JobKind | undefined,
  most: JobRoom,
  isBusyElsewhere: (job: JobSummary) => boolean,
): JobEntry[] {
  const entries = [...open];
  const room = { ...most };
  const lane = (entry: JobEntry) => (kindOf(entry)?.coordinates === true ? "coordination" : "work");
  const subject = ({ record: { summary } }: JobEntry) => `${summary.operation} ${summary.subject}`;
  const busy = new Set<string>();
  const take = (entry: JobEntry): void => {
    room[lane(entry)] -= 1;
    busy.add(subject(entry));
  };
  for (const entry of entries) if (entry.run !== undefined) take(entry);
  const found: JobEntry[] = [];
  for (const entry of entries) {
    if (kindOf(entry) === undefined || entry.run !== undefined || entry.ends) continue;
    if (entry.record.ending !== undefined || room[lane(entry)] <= 0 || busy.has(subject(entry))) continue;
    if (isBusyElsewhere(entry.record.summary)) continue;
    take(entry);
    found.push(entry);
  }
  return found;
}
