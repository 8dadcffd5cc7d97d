// The peer of Node.js: nodemailer with a pool of connections and DKIM, one process.
//
//     node send.cjs FOLDER PORT FIRST COUNT documented|parsed
//
// FOLDER holds letter.json and key.pem. Says "ready", begins at a line on standard input, says
// "done" when the server has accepted all. It keeps nothing: what it had not sent when it ended is
// lost.
//
// documented: as nodemailer's pages on pooled SMTP, bulk mail and DKIM show it: the key is PEM,
// messages are handed over whenever the transport is idle, a connection serves 100 messages.
// parsed: the same with the key parsed once, and connections that serve without end.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const nodemailer = require('nodemailer');

const [folder, port, first, count, form] = process.argv.slice(2);
const letter = JSON.parse(fs.readFileSync(path.join(folder, 'letter.json'), 'utf8'));
const pem = fs.readFileSync(path.join(folder, 'key.pem'), 'utf8');
const isParsed = form === 'parsed';

const transporter = nodemailer.createTransport({
  pool: true,
  host: '127.0.0.1',
  port: Number(port),
  secure: false,
  ignoreTLS: true,
  maxConnections: 10,
  maxMessages: isParsed ? Infinity : 100,
  dkim: {
    domainName: letter.domain,
    keySelector: letter.selector,
    privateKey: isParsed ? crypto.createPrivateKey(pem) : pem,
  },
});

function filled(template, number) {
  // The cheapest way to fill a gap, so that no template engine slows the peer down.
  return template.replaceAll('{{ name }}', `Person ${number}`).replaceAll('{{ number }}', number);
}

function message(number) {
  return {
    from: { name: 'Doe Inc', address: `jane@${letter.domain}` },
    to: `person${number}@example.net`,
    subject: filled(letter.subject, number),
    text: filled(letter.text, number),
    html: filled(letter.html, number),
  };
}

function sendAll() {
  let next = Number(first);
  let open = Number(count);
  const end = next + open;
  const finish = (error) => {
    if (error) throw error;
    open -= 1;
    if (open === 0) {
      process.stdout.write('done\n');
      transporter.close();
      process.exit(0);
    }
  };
  const feed = () => {
    while (transporter.isIdle() && next < end) {
      transporter.sendMail(message(next), finish);
      next += 1;
    }
  };
  transporter.on('idle', feed);
  feed();
}

readline.createInterface({ input: process.stdin }).once('line', sendAll);
process.stdout.write('ready\n');
