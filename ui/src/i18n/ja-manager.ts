// What the manager says in English, in Japanese: faults of fields, and why something was refused.
// A sentence that is not here stays English.

type Sentence = [RegExp, (parts: string[]) => string];

const FIELDS: Sentence[] = [
    [/^(is required|must not be empty)$/, () => "入力してください。"],
    [/^is not a field of this request$/, () => "この項目は使えません。"],
    [/^must be at most (\d+) bytes long$/, ([n]) => `${n}バイト以内にしてください。`],
    [/^must be at most (\d+)$/, ([n]) => `${n}個までにしてください。`],
    [/^must be at least (\d+) characters long$/, ([n]) => `${n}文字以上にしてください。`],
    [/^must not contain control characters$/, () => "制御文字は使えません。"],
    [
        /^must be 1 to 64 bytes long, without control characters and slashes$/,
        () => "1～64バイトにしてください。制御文字と / は使えません。",
    ],
    [/^(?:each )?must be 1 to 64 bytes long/, () => "それぞれ1～64バイトにしてください。制御文字は使えません。"],
    [
        /^must be (?:a list; each item must be )?(?:a whole number )?from (\S+) to (\S+)(?: seconds)?$/,
        ([low, high]) => `${low}～${high} の整数にしてください。`,
    ],
    [/^must be network card addresses/, () => "52:54:00:12:34:56 のような MAC アドレスにしてください。"],
    [/^(\S+) is there twice$/, ([what]) => `${what} が重複しています。`],
    [/^must be an IPv4 address/, () => "192.0.2.255 のような IPv4 アドレスにしてください。"],
    [/^must be a network interface's name$/, () => "ネットワークインターフェースの名前にしてください。"],
    [/^must be 4 or 6 bytes in hexadecimal digits$/, () => "4または6バイトの16進数にしてください。"],
    [/^must lie in the future$/, () => "未来の日時にしてください。"],
    [/^is wrong$/, () => "違います。"],
    [/^is needed again$/, () => "もう一度入力してください。"],
    [/^must be an object of at most \d+ tags/, () => "gpu: 2 のように、1行に1つ入力してください。"],
    [/^a tag must be 1 to/, () => "タグの名前は1～64バイトにしてください。"],
    [
        /^the number of (.+) must be a whole one from (\d+) to (\d+)$/,
        ([tag, low, high]) => `${tag} の台数は ${low}～${high} の整数にしてください。`,
    ],
    [
        /^must be an absolute http or https URL/,
        () => "http:// か https:// で始まる URL にしてください。ユーザー名・パスワード・# は使えません。",
    ],
    [/^another server is called (.+): choose another name$/, ([name]) => `${name} という名前のサーバーがすでにあります。`],
    [/^(\S+) belongs to (.+)$/, ([mac, name]) => `${mac} は ${name} のものです。`],
    [/^there is a user (.+) already$/, ([name]) => `${name} というユーザーがすでにいます。`],
];

const REFUSALS: Sentence[] = [
    [
        /^without (.+) only (\d+) of the tag (.+) would be wanted ON, and the setting min_on asks for (\d+)/,
        ([name, left, tag, least]) =>
            `${name} を OFF にすると、タグ ${tag} の稼働は${left}台になり、設定の最少${least}台を下回ります。先に別のサーバーを ON にしてください。`,
    ],
    [
        /^(.+) is the last administrator: make another one first$/,
        ([name]) => `${name} は最後の管理者です。先に別の管理者を作成してください。`,
    ],
    [
        /^nobody asked for (.+) to be ON, so no packet is sent/,
        ([name]) => `${name} は ON を要求されていないため、パケットを送りません。「電源 ON」を使ってください。`,
    ],
    [
        /^(.+) has no MAC address: add one, or join its machine$/,
        ([name]) => `${name} に MAC アドレスがありません。追加するか、マシンを参加させてください。`,
    ],
    [/^there are (\d+) webhooks already/, ([n]) => `Webhook は${n}件までです。先にどれかを削除してください。`],
];

const ATTEMPTS: Sentence[] = [
    [/^answered (\d+)$/, ([status]) => `${status} の応答`],
    [/^sending failed: (.+)$/, ([why]) => `送信できませんでした（${why}）`],
    [/^no answer came: (.+)$/, ([why]) => `応答がありませんでした（${why}）`],
    [/^it does not prove to be (.+): (.+)$/, ([host, why]) => `${host} であることを証明書で確認できませんでした（${why}）`],
    [/^(\S+) is not known: (.+)$/, ([host, why]) => `${host} が見つかりません（${why}）`],
    [/^(\S+) is a link-local address/, ([host]) => `${host} はリンクローカルアドレスのため、呼び出しません`],
    [/^it cannot be reached: (.+)$/, ([why]) => `接続できませんでした（${why}）`],
];

function found(sentences: Sentence[], text: string): string | undefined {
    for (const [pattern, say] of sentences) {
        const match = pattern.exec(text);
        if (match) return say(match.slice(1));
    }
    return undefined;
}

export const fieldFault = (text: string) => found(FIELDS, text) ?? text;
export const refusal = (text: string) => found(REFUSALS, text);
export const attempt = (text: string) => found(ATTEMPTS, text) ?? text;
