import { defineConfig } from 'ocibuild'

// nginx's own folders and user, so that the layers fit on its image or mount as a volume.
const site = '/usr/share/nginx/html'
const owner = '101:101'

export default defineConfig({
  name: 'static-site',
  base: 'scratch',
  platforms: ['linux/amd64'],
  layers: [
    // Images and fonts are compressed already: gzip would cost time and save nothing.
    {
      name: 'media',
      compression: 'none',
      entries: [{ copy: 'public/media', to: `${site}/media`, owner }],
    },
    {
      name: 'pages',
      entries: [
        { copy: 'public', to: site, exclude: ['media'], owner },
        {
          file: '/etc/nginx/conf.d/default.conf',
          content: `server {
  listen 8080;
  root ${site};
  error_page 404 /404.html;
  location /media/ { expires 1y; }
}
`,
        },
      ],
    },
  ],
  config: { exposedPorts: [8080], labels: { 'com.example.kind': 'content' } },
  metadata: 'none',
  created: 'epoch',
})
