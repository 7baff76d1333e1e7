import type { Environment } from '../../dev/run-program.ts';
import type { ClusterAddresses } from './cluster.ts';
import type { Launch } from './server.ts';

/** What a server is given to start. */
export interface Surroundings {
  readonly cluster: ClusterAddresses;
  /** Makes a topic with as many partitions as imwatch's have. */
  readonly createTopic: (topic: string) => Promise<void>;
  /** Variables of this process. */
  readonly env: Environment;
  /** Where what the servers print is kept while the benchmark runs. */
  readonly logFolder: string;
  /** Where what has to be built is kept. */
  readonly buildFolder: string;
  /** Lets go of what the servers leave behind. */
  readonly resources: AsyncDisposableStack;
  /** Options of Node, for servers that run on it. */
  readonly nodeOptions?: readonly string[];
}

/** Why a candidate cannot run here. */
export interface Missing {
  readonly missing: string;
}

/** One of those that are compared. */
export interface Candidate {
  /** What it is called on the command line. */
  readonly name: string;
  readonly title: string;
  /** Topic that has a record for each request answered 200; not given: it writes none. */
  readonly topic?: string;
  /** A version of imwatch. */
  readonly isOurs?: true;
  /** Measured only when asked for with `--with` or `--only`. */
  readonly onRequest?: true;
  readonly launch: (surroundings: Surroundings) => Promise<Launch | Missing>;
}
