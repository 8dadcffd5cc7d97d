"""Mail that nobody sends by accident. Every page of the test inbox must survive every one."""

HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "only a line break": b"\r\n",
    "no header": b"just words\r\n",
    "only zeros": b"\x00" * 500,
    "every byte": bytes(range(256)) * 4,
    "raw UTF-8 header": "Subject: Grüße\r\nFrom: Zoë <z@example.com>\r\n\r\n".encode(),
    "raw Latin-1 header": b"Subject: Gr\xfc\xdfe\r\nFrom: \xff <z@example.com>\r\n\r\nx\r\n",
    "unknown charset": b"Subject: =?nonsense?b?////?=\r\n"
    b"Content-Type: text/plain; charset=nonsense\r\n\r\nx\xff\r\n",
    "charset that is no text": b"Content-Type: text/plain; charset=rot13\r\n\r\nx\r\n",
    "broken encoded word": b"Subject: =?utf-8?b?=====?= =?utf-8?q?=ZZ?=\r\n\r\nx\r\n",
    "surrogates": b"Subject: =?utf-16?b?2AA=?=\r\nContent-Type: text/plain; charset=utf-16\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n2AA=\r\n",
    "broken base64": b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n!!\r\n",
    "broken quoted-printable": b"Content-Transfer-Encoding: quoted-printable\r\n\r\n=ZZ=\r\n",
    "boundary that never comes": b'Content-Type: multipart/mixed; boundary="x"\r\n\r\nwords\r\n',
    "no boundary": b"Content-Type: multipart/alternative\r\n\r\nwords\r\n",
    "multipart that is base64": b"Content-Type: multipart/mixed; boundary=x\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n--x\r\n\r\nx\r\n--x--\r\n",
    "broken content type": b"Content-Type: /;;;=;\r\nContent-Disposition: ;=;\r\n\r\nx\r\n",
    "broken addresses": b"From: <<@>>,;:<\r\nTo: (((((\r\nReply-To: @\r\nCc: a:b:c;;\r\n\r\nx\r\n",
    "broken date": b"Date: 99 Foo 99999 99:99:99 +9999\r\nMessage-ID: <<<\r\n\r\nx\r\n",
    "two of everything": b"Subject: a\r\nSubject: b\r\nFrom: a@b.c\r\nFrom: d@e.f\r\n\r\nx\r\n",
    "a script in the subject": b"Subject: <script>alert(1)</script>\r\n\r\n"
    b"</pre><script>alert(2)</script>\r\n",
    "comments without end": b"From: " + b"(" * 900 + b"\r\nTo: " + b"(" * 900 + b"\r\n\r\nx\r\n",
    "an endless header": b"To: " + b"a@b.c,\r\n " * 20_000 + b"\r\n\r\nx\r\n",
    "very many headers": b"X: y\r\n" * 20_000 + b"\r\nx\r\n",
    "nested without end": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
        for n in range(1_500)
    ),
    "messages in messages": b"Content-Type: message/rfc822\r\n\r\n" * 500 + b"x\r\n",
    "a message of no type": b"Content-Type: message/delivery-status\r\n\r\na: b\r\n\r\nc: d\r\n",
    "very many parts": b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
    + b"--x\r\n\r\ny\r\n" * 3_000,
    "hostile file name": b"Content-Type: application/octet-stream\r\n"
    b"Content-Disposition: attachment; filename*=utf-8''%E2%80%AE..%2F..%2Fetc%2Fp%0D%0Ax\r\n\r\nx",
    "broken file name": b"Content-Disposition: attachment; filename*=nonsense'%ZZ\r\n\r\nx\r\n",
}
