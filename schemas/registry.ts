import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { COMPATIBILITY, SchemaRegistry as ConfluentClient } from '@kafkajs/confluent-schema-registry';
import type { Type } from 'avsc';
import { Agent, request } from 'undici';
import { AppError } from '../lib/errors.ts';
import type { RecordSchema } from './records.ts';
import type { RegistryValues } from './settings.ts';
import type { Compatibility } from './topics.ts';

/** The registry does not answer, or answers with a failure of its own. */
export class RegistryUnavailableError extends AppError {
  override readonly name = 'RegistryUnavailableError';
  readonly code = 'REGISTRY_UNAVAILABLE';
  readonly retryable = true;
}

/** The registry refuses a schema, for example because its change breaks readers. */
export class SchemaRefusedError extends AppError {
  override readonly name = 'SchemaRefusedError';
  readonly code = 'REGISTRY_SCHEMA_REFUSED';
  readonly retryable = false;
}

/** The schemas of topics, by subject and by id. */
export interface SchemaRegistry {
  /**
   * The id of `schema` under `subject`, registered now where it is new, with `compatibility` for a subject that has none yet.
   * Idempotent.
   *
   * @throws {SchemaRefusedError | RegistryUnavailableError}
   */
  register(subject: string, schema: RecordSchema, compatibility: Compatibility): Promise<number>;
  /** The id of `schema` under `subject`, or `undefined` when it is not registered there. */
  idOf(subject: string, schema: RecordSchema): Promise<number | undefined>;
  /** The type that records with this schema id were written with; asked once an id. */
  writerType(schemaId: number): Promise<Type>;
  /** Removes a subject with all its versions; the ids stay readable. Nothing happens when there is none. */
  remove(subject: string): Promise<void>;
  /** The subject's own compatibility level, or `undefined` when it has none. */
  compatibilityOf(subject: string): Promise<string | undefined>;
}

const timeoutMs = 5_000;
const contentType = 'application/vnd.schemaregistry.v1+json';

/** A registry with Confluent's API. Every call ends within a few time-outs of 5 s, also when the registry hangs. */
export function createSchemaRegistry(values: RegistryValues): SchemaRegistry {
  const { registryUrl: host = '', registryUsername: username, registryPassword: password } = values;
  const ca = values.registrySslCa === undefined ? undefined : readFileSync(values.registrySslCa, 'utf8');
  const auth = username === undefined || password === undefined ? undefined : { username, password };
  const agent = host.startsWith('https:') ? new https.Agent({ ...(ca && { ca }) }) : new http.Agent();
  // Without the time-out of this middleware a hanging registry would be waited for without end.
  const client = new ConfluentClient({
    host,
    agent,
    ...(auth && { auth }),
    middlewares: [() => ({ request: (outgoing) => Promise.resolve(outgoing.enhance({ timeout: timeoutMs })) })],
  });
  const dispatcher = new Agent({
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: { timeout: timeoutMs, ...(ca && { ca }) },
  });
  const headers: Record<string, string> = {
    'content-type': contentType,
    ...(auth && { authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}` }),
  };

  async function compatibilityOf(subject: string): Promise<string | undefined> {
    const answer = await failingAsUnavailable(async () => {
      const url = `${host}/config/${encodeURIComponent(subject)}`;
      const { statusCode, body } = await request(url, { dispatcher, headers });
      const text = await body.text();
      if (statusCode !== 200 && statusCode !== 404) throw new Error(`answer ${statusCode} ${text}`);
      return statusCode === 404 ? undefined : (JSON.parse(text) as { compatibilityLevel?: string });
    });
    const level = answer?.compatibilityLevel?.toUpperCase();
    // Apicurio says NONE where Confluent says 404.
    return level === 'NONE' ? undefined : level;
  }

  async function setCompatibility(subject: string, compatibility: Compatibility): Promise<void> {
    await failingAsUnavailable(async () => {
      const url = `${host}/config/${encodeURIComponent(subject)}`;
      const { statusCode, body } = await request(url, {
        dispatcher,
        headers,
        method: 'PUT',
        body: JSON.stringify({ compatibility }),
      });
      const text = await body.text();
      if (statusCode !== 200) throw new Error(`answer ${statusCode} ${text}`);
    });
  }

  return {
    compatibilityOf,

    async register(subject, schema, compatibility) {
      const registerAs = async (present: string): Promise<number> => {
        const level = COMPATIBILITY[present as keyof typeof COMPATIBILITY];
        const { id } = await client.register(schema as never, { subject, compatibility: level, updateConfig: false });
        if (present === 'NONE') await setCompatibility(subject, compatibility);
        return id;
      };
      const present = (await compatibilityOf(subject)) ?? 'NONE';
      return classified(subject, async () => {
        try {
          return await registerAs(present);
        } catch (error) {
          // Another service that starts has given the subject its level since.
          const since = (await compatibilityOf(subject)) ?? 'NONE';
          if (since === present) throw error;
          return registerAs(since);
        }
      });
    },

    async idOf(subject, schema) {
      try {
        return await client.getRegistryIdBySchema(subject, schema as never);
      } catch (error) {
        // The client wraps a 404, and nothing else here, in its base error.
        if (error instanceof Error && error.name === 'ConfluentSchemaRegistryError') return undefined;
        throw unavailable(error);
      }
    },

    async remove(subject) {
      await failingAsUnavailable(async () => {
        const url = `${host}/subjects/${encodeURIComponent(subject)}`;
        const { statusCode, body } = await request(url, { dispatcher, headers, method: 'DELETE' });
        const text = await body.text();
        if (statusCode !== 200 && statusCode !== 404) throw new Error(`answer ${statusCode} ${text}`);
      });
    },

    async writerType(schemaId) {
      try {
        return (await client.getSchema(schemaId)) as unknown as Type;
      } catch (error) {
        if (statusOf(error) === 404)
          throw new SchemaRefusedError(`The registry has no schema ${schemaId}`, { cause: error });
        throw unavailable(error);
      }
    },
  };
}

async function classified<T>(subject: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof AppError) throw error;
    const status = statusOf(error);
    if (status === 409 || status === 422) {
      throw new SchemaRefusedError(`The registry refuses the schema for ${subject}`, { cause: error });
    }
    throw unavailable(error);
  }
}

async function failingAsUnavailable<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw unavailable(error);
  }
}

function unavailable(error: unknown): RegistryUnavailableError {
  return new RegistryUnavailableError('The schema registry does not answer as expected', { cause: error });
}

/** HTTP status of an answer; the client says 400 for a refused connection too, so only exact codes mean something. */
function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : undefined;
}
