import type { Type } from 'avsc';
import { SchemaRefusedError, type SchemaRegistry } from '../../schemas/registry.ts';

/** Stands in for a registry that is asked for schemas by id only; it counts how often it is asked. */
export interface StandInRegistry extends SchemaRegistry {
  /** Thrown at every question while it is set. */
  failure: Error | undefined;
  asked: number;
}

/** A registry with these types by schema id; tests may add to them. */
export function aRegistry(types: Readonly<Record<number, Type>>): StandInRegistry {
  const unused = (): Promise<never> => Promise.reject(new Error('Not expected to be called'));
  return {
    failure: undefined,
    asked: 0,
    register: unused,
    idOf: unused,
    remove: unused,
    compatibilityOf: unused,
    async writerType(schemaId) {
      this.asked += 1;
      if (this.failure !== undefined) throw this.failure;
      const type = types[schemaId];
      if (type === undefined) throw new SchemaRefusedError(`The registry has no schema ${schemaId}`);
      return type;
    },
  };
}
