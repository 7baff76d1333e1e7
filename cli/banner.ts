import type { BrokerAddresses } from '../dev/keeper/protocol.ts';
import type { IngestConfig } from '../ingest/config.ts';
import type { App } from '../lib/config/apps.ts';
import { callbackUrl } from './callback-url.ts';
import { bold, dim } from './output.ts';
import { commandOfSample, defaultSample, readSample } from './samples.ts';

/** What `imwatch up` says once everything runs. */
export function banner(about: {
  readonly config: IngestConfig;
  readonly addresses: BrokerAddresses;
  /** Where Kafka and the registry run, in words. */
  readonly place: string;
  readonly callbackUrl: string;
  readonly isAppConfigured: boolean;
  readonly startSeconds: number;
}): readonly string[] {
  const { config, addresses } = about;
  const [app] = config.appList;
  if (app === undefined) throw new Error('ingest runs without an app');
  return [
    '',
    `${bold('imwatch is up')} ${dim(`after ${about.startSeconds.toFixed(1)} s`)}`,
    '',
    `  callback URL  ${bold(about.callbackUrl)}`,
    `  app           ${app.sdkAppId}${about.isAppConfigured ? '' : " (of Tencent's samples, without a token; set IMWATCH_SDK_APP_ID and IMWATCH_TOKEN)"}`,
    `  Kafka         ${addresses.brokers}, topics ${config.topicPrefix}.* ${dim(`(${about.place})`)}`,
    `  registry      ${addresses.registryUrl}`,
    '',
    'Send a verdict from another terminal:',
    '',
    curlLine(about.callbackUrl, app),
    '',
    `and look at the event: ${bold('npx imwatch tail')}`,
    '',
  ];
}

/**
 * A command that sends the sample verdict when it is pasted into a shell. For an app with a token `imwatch send` makes the
 * signed URL when the line runs, so that the token is not shown and the signature is fresh.
 */
export function curlLine(base: string, app: App): string {
  const body = JSON.stringify(JSON.parse(readSample(defaultSample, app.sdkAppId)));
  const url =
    app.tokens.length === 0
      ? `'${callbackUrl(base, app, commandOfSample(defaultSample), 0)}'`
      : `"$(npx imwatch send --print-url --app ${app.sdkAppId} --url ${base})"`;
  return `curl -sS ${url} -H 'Content-Type: application/json' -d '${body.replaceAll("'", String.raw`'\''`)}'`;
}
