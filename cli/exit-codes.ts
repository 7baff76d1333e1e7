/** What `imwatch` tells the shell. */
export const exitCodes = {
  ok: 0,
  /** The command ran and found or met something that is not as it should be. */
  problem: 1,
  /** A wrong option, a wrong setting, or something that has to be installed. */
  wrongUse: 2,
  /** Ended at once because a second Ctrl-C insisted; what shells use for SIGINT. */
  interrupted: 130,
} as const;
