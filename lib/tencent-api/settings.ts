import { httpUrl } from '../config/setting.ts';

export const tencentApiSettings = {
  apiBase: httpUrl('TENCENT_API_BASE', {
    help: "Address of Tencent's REST API, for tests. Not set: the domain of each app's region.",
  }),
};
