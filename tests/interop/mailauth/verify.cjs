// How mailauth judges messages: `node verify.cjs KEYS FOLDER`.
//
// KEYS has a line "name value" for each key record; nobody else is asked. Prints a line
// "file result signing-domain alignment" for each .eml in FOLDER, by tabs.

'use strict';

const { readFileSync, readdirSync } = require('node:fs');
const { join } = require('node:path');
const { dkimVerify } = require('mailauth/lib/dkim/verify');

const [keys, folder] = process.argv.slice(2);
const records = new Map();
for (const line of readFileSync(keys, 'utf8').split('\n').filter(Boolean)) {
    const space = line.indexOf(' ');
    records.set(line.slice(0, space), line.slice(space + 1));
}

async function resolver(name, type) {
    const value = type === 'TXT' ? records.get(name.toLowerCase()) : undefined;
    if (value === undefined) {
        throw Object.assign(new Error(`no ${type} record of ${name}`), { code: 'ENOTFOUND' });
    }
    return [value.match(/.{1,255}/gs)];
}

async function judge(file) {
    const { results } = await dkimVerify(readFileSync(join(folder, file)), { resolver });
    const [first] = results;
    const result = results.length === 1 ? first.status.result : `${results.length} signatures`;
    const aligned = first.status.aligned || '';
    console.log([file, result, first.signingDomain || '', aligned].join('\t'));
}

(async () => {
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.eml')).sort()) {
        await judge(file);
    }
})();
