// The words of http/openapi.yaml, by the names people use for them.
import type { components, paths } from "../generated/api";

type Schemas = components["schemas"];

export type Server = Schemas["Server"];
export type ServerEdit = Schemas["ServerEdit"];
export type Notification = Schemas["Notification"];
export type EventRecord = Schemas["Event"];
export type Settings = Schemas["Settings"];
export type Token = Schemas["Token"];
export type User = Schemas["User"];
export type Explanation = Schemas["Explanation"];
export type Pending = Schemas["Pending"];
export type OpenSession = Schemas["Session"];
export type Webhook = Schemas["Webhook"];
export type WebhookEdit = Schemas["WebhookEdit"];
export type WebhookPreset = Schemas["WebhookPreset"];
export type WebhookStatus = Schemas["WebhookStatus"];
export type WebhookTrial =
    paths["/api/v1/webhooks/{id}/test"]["post"]["responses"][200]["content"]["application/json"];
export type Transition = Schemas["Transition"];
export type PowerResult = Schemas["PowerResults"]["results"][number];
export type Role = Schemas["Role"];
export type Caller = Schemas["Caller"];
export type PowerStatus = Schemas["PowerStatus"];
export type DisplayStatus = Schemas["DisplayStatus"];
export type PowerOutcome = Schemas["PowerOutcome"];

export interface ProblemBody {
    type: string;
    title: string;
    status: number;
    detail: string;
    errors?: { field: string; message: string }[];
    remaining_seconds?: number;
}

export interface Page<Item> {
    items: Item[];
    next_cursor: string | null;
}
