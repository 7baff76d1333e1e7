import type { Region } from '../config/apps.ts';

const domains: Readonly<Record<Region, string>> = {
  cn: 'console.tim.qq.com',
  sg: 'adminapisgp.im.qcloud.com',
  kr: 'adminapikr.im.qcloud.com',
  jp: 'adminapijpn.im.qcloud.com',
  de: 'adminapiger.im.qcloud.com',
  us: 'adminapiusa.im.qcloud.com',
  id: 'adminapiidn.im.qcloud.com',
  in: 'adminapiind.im.qcloud.com',
};

/** Where the REST API of an app in this region answers; a wrong one answers with error 60026. China when nothing is said. */
export function apiBase(region: Region = 'cn'): string {
  return `https://${domains[region]}`;
}
