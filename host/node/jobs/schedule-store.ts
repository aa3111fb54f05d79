/**
 * Schedules as they are kept: one record each, changed only when it is still what the one who changes it knows. So of several
 * workers that share a storage one sends an order, and a change by another is noticed. It sends nothing.
 */
import { z } from "zod";
import { common } from "../../bus/operations/definition.js";
import { orderSchema } from "../../bus/operations/task.js";
import type { Storage } from "../storage/storage.js";
import { decodeValue, encodeValue } from "./job-record.js";

const scheduleSchema = z.object({
  name: common.name,
  cron: z.string().optional(),
  everyS: z.number().optional(),
  at: z.string().optional(),
  order: orderSchema,
  /** Who made it: the order is sent in this name, with what that one may do at that time. */
  sender: z.string(),
  /** ms since 1970. */
  nextAt: z.number(),
  sentAt: z.number().optional(),
  /** How the last order ended: "done", or the name of an error. */
  last: z.string().optional(),
});

export type Schedule = Readonly<z.infer<typeof scheduleSchema>>;

/** A schedule, and its record as it was read or written. */
export interface KeptSchedule {
  readonly schedule: Schedule;
  readonly bytes: Uint8Array;
}

const collection = "schedules";
const page = 500;

export class ScheduleStore {
  /** `owner`: id of the node; its workers share the schedules. */
  constructor(
    private readonly storage: Storage,
    private readonly owner: string,
  ) {}

  /** All, by name. A record that cannot be read is passed to `unreadable` and left alone. @throws StorageError */
  async all(unreadable: (key: string, error: unknown) => void): Promise<Map<string, KeptSchedule>> {
    const found = new Map<string, KeptSchedule>();
    for (let after: string | undefined = ""; after !== undefined;) {
      const entries = await this.storage.records.list(collection, {
        prefix: this.key(""),
        limit: page,
        ...(after === "" ? {} : { after }),
      });
      for (const { key, value: bytes } of entries) {
        try {
          const schedule = scheduleSchema.parse(decodeValue(bytes));
          found.set(schedule.name, { schedule, bytes });
        } catch (error) {
          unreadable(key, error);
        }
      }
      after = entries.length < page ? undefined : entries.at(-1)?.key;
    }
    return found;
  }

  /** Undefined when there is none. @throws StorageError, Error when it cannot be read */
  async read(name: string): Promise<KeptSchedule | undefined> {
    const bytes = await this.storage.records.get(collection, this.key(name));
    return bytes === undefined ? undefined : { schedule: scheduleSchema.parse(decodeValue(bytes)), bytes };
  }

  /** Whatever was there before. @throws StorageError */
  async put(schedule: Schedule): Promise<KeptSchedule> {
    const bytes = encodeValue(schedule);
    await this.storage.records.write([{ collection, key: this.key(schedule.name), value: bytes }]);
    return { schedule, bytes };
  }

  /** @throws StorageError */
  async remove(name: string): Promise<void> {
    await this.storage.records.write([{ collection, key: this.key(name), value: undefined }]);
  }

  /** Undefined: somebody else was faster, and nothing was changed. @throws StorageError */
  async replace(before: KeptSchedule, schedule: Schedule): Promise<KeptSchedule | undefined> {
    const bytes = encodeValue(schedule);
    return (await this.change(before, bytes)) ? { schedule, bytes } : undefined;
  }

  /** False: somebody else was faster, and nothing was changed. @throws StorageError */
  removeThis(before: KeptSchedule): Promise<boolean> {
    return this.change(before, undefined);
  }

  private change({ schedule, bytes }: KeptSchedule, value: Uint8Array | undefined): Promise<boolean> {
    const key = this.key(schedule.name);
    return this.storage.records.write([{ collection, key, value, expect: bytes }]);
  }

  private key(name: string): string {
    return `${this.owner}/${name}`;
  }
}
