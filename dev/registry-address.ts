/** Address of Apicurio Registry on a port of this machine: the part of it that speaks Confluent's API. */
export function registryUrl(port: number): string {
  return `http://127.0.0.1:${port}/apis/ccompat/v7`;
}
