// Aedes on a port of 127.0.0.1, with one login: node broker.mjs PORT USER PASSWORD
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { Aedes } from 'aedes'

const [port, user, password] = process.argv.slice(2)
const aedes = await Aedes.createBroker({
  authenticate: (client, name, secret, done) => done(null, name === user && String(secret) === password)
})
const { version } = JSON.parse(readFileSync(new URL('node_modules/aedes/package.json', import.meta.url)))
createServer(aedes.handle).listen(Number(port), '127.0.0.1', () => console.log(`aedes ${version} running`))
