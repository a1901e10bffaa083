// Webhooks (HTTP 3.2). Administrators' alone: whoever may say where the manager is to call can make
// it call anything it reaches. The signing secret is shown once, when the webhook is made.
#include "http/answers.hpp"
#include "http/handlers.hpp"
#include "http/query_input.hpp"
#include "http/webhooks.hpp"
#include "manager/webhook_commands.hpp"
#include "projections/json_parts.hpp"

#include <algorithm>

namespace cpm::http {
namespace {

namespace json = boost::json;
using manager::AddWebhook;
using manager::ChangeWebhook;
using manager::RemoveWebhook;
using manager::Webhook;

constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxUrl = 2048;
constexpr std::size_t kMaxSecret = 100;

json::object webhook_json(Webhook const& webhook) {
    json::array statuses;
    for (auto const status : webhook.statuses)
        statuses.emplace_back(core::to_string(status));
    return {
        {"id", webhook.id},
        {"name", webhook.name},
        {"url", shown_url(webhook)},
        {"preset", manager::to_string(webhook.preset)},
        {"statuses", std::move(statuses)},
        {"enabled", webhook.enabled},
        {"created_at", core::to_rfc3339(webhook.created_at)},
    };
}

/// With its progress, which the answer to a change leaves out.
json::object webhook_json(App const& app, Webhook const& webhook) {
    auto body = webhook_json(webhook);
    auto const progress = app.webhooks.progress(webhook.id);
    body["pending"] = progress.pending;
    body["last_result"] =
        progress.last_result.empty() ? json::value() : json::value(progress.last_result);
    return body;
}

core::Error no_such(std::string const& id) {
    return {core::ErrorCode::NotFound, "there is no webhook " + id};
}

std::optional<std::vector<core::ActualStatus>> read_statuses(Fields& fields) {
    auto const texts = fields.texts("statuses");
    if (!texts)
        return std::nullopt;
    std::vector<core::ActualStatus> statuses;
    for (auto const& text : *texts) {
        auto const status = core::parse_actual_status(text);
        if (!status || !manager::is_notified(*status)) {
            fields.fault(
                "statuses",
                "each must be one that people are notified of: Crashed, Unknown, StartupDelayed or "
                "ShutdownDelayed"
            );
            return std::nullopt;
        }
        if (std::ranges::count(statuses, *status) == 0)
            statuses.push_back(*status);
    }
    return statuses;
}

/// What a body says; what it does not say stays.
struct Edit {
    std::optional<std::string> name;
    std::optional<std::string> url;
    std::optional<manager::WebhookPreset> preset;
    std::optional<std::string> secret;
    std::optional<std::vector<core::ActualStatus>> statuses;
    std::optional<bool> enabled;

    void operator()(Webhook& webhook) const {
        auto const set = [](auto& to, auto const& from) {
            if (from)
                to = *from;
        };
        set(webhook.name, name);
        set(webhook.url, url);
        set(webhook.preset, preset);
        set(webhook.secret, secret);
        set(webhook.statuses, statuses);
        set(webhook.enabled, enabled);
    }
};

core::Result<Edit> read_edit(std::string_view body, bool is_new) {
    return read_fields(read_object(body), [&](Fields& fields) {
        Edit edit;
        if (!is_new || fields.require("name"))
            edit.name = fields.line("name", kMaxName);
        if (edit.name && edit.name->empty())
            fields.fault("name", "must not be empty");
        if (!is_new || fields.require("url"))
            edit.url = fields.text("url", kMaxUrl);
        if (edit.url && !parse_webhook_url(*edit.url))
            fields.fault(
                "url",
                "must be an absolute http or https URL without a user, a password and a fragment"
            );
        edit.preset = fields.parsed(
            "preset", manager::parse_webhook_preset, "generic, slack, discord or ntfy"
        );
        edit.secret = fields.text("secret", kMaxSecret);
        if (edit.secret && !manager::webhook_key(*edit.secret))
            fields.fault("secret", "must be \"whsec_\" and 24 to 64 bytes in base64");
        edit.statuses = read_statuses(fields);
        edit.enabled = fields.flag("enabled");
        return edit;
    });
}

manager::Answer render_added(manager::Turn const& turn, AddWebhook::Outcome&& outcome) {
    auto body = webhook_json(*turn.accounts().find_webhook(outcome.id));
    body["secret"] = outcome.secret;
    body["sequence"] = outcome.sequence.value;
    return make_answer(201, std::move(body), {"secret"});
}

} // namespace

HandlerResult list_webhooks(App& app, Request const& request, Caller const& /*caller*/) {
    auto const page = read_page_alone(request);
    if (!page)
        co_return refused(app, page.error());
    auto const to_json = [&](Webhook const& webhook) { return webhook_json(app, webhook); };
    co_return json_response(200, page_of(app.model.accounts().webhooks(), *page, to_json));
}

HandlerResult add_webhook(App& app, Request const& request, Caller const& caller) {
    auto const edit = read_edit(request.body, true);
    if (!edit)
        co_return refused(app, edit.error());
    AddWebhook command{caller.actor, {}};
    (*edit)(command.webhook);
    Render<AddWebhook> render = render_added;
    co_return co_await answer_change(app, request, caller, std::move(command), std::move(render));
}

HandlerResult get_webhook(App& app, Request const& request, Caller const& /*caller*/) {
    auto const& id = request.captures.at(0);
    auto const* const webhook = app.model.accounts().find_webhook(id);
    if (!webhook)
        co_return refused(app, no_such(id));
    auto response = json_response(200, webhook_json(app, *webhook));
    response.headers.emplace_back("ETag", etag(webhook->version));
    co_return response;
}

HandlerResult change_webhook(App& app, Request const& request, Caller const& caller) {
    auto const version = if_match(request);
    if (!version)
        co_return refused(app, version.error());
    auto const edit = read_edit(request.body, false);
    if (!edit)
        co_return refused(app, edit.error());
    ChangeWebhook command{caller.actor, request.captures.at(0), *version, *edit};
    Render<ChangeWebhook> render =
        [id = command.id](manager::Turn const& turn, ChangeWebhook::Outcome&& outcome) {
            auto body = webhook_json(*turn.accounts().find_webhook(id));
            body["sequence"] = sequence_or_null(outcome.sequence);
            return make_answer(200, std::move(body));
        };
    co_return co_await answer_change(app, request, caller, std::move(command), std::move(render));
}

HandlerResult remove_webhook(App& app, Request const& request, Caller const& caller) {
    auto const version = if_match(request);
    if (!version)
        co_return refused(app, version.error());
    RemoveWebhook command{caller.actor, request.captures.at(0), *version};
    Render<RemoveWebhook> render = render_sequence<RemoveWebhook>;
    co_return co_await answer_change(app, request, caller, std::move(command), std::move(render));
}

/// What the receiver said is told by its status alone: its answer is nobody's window into a
/// network.
HandlerResult test_webhook(App& app, Request const& request, Caller const& /*caller*/) {
    auto const& id = request.captures.at(0);
    auto const* const webhook = app.model.accounts().find_webhook(id);
    if (!webhook)
        co_return refused(app, no_such(id));
    auto const message = manager::make_id(app.random, "test_");
    auto const result = co_await app.webhooks.test(*webhook, message);
    json::value status;
    if (result.status > 0)
        status = result.status;
    json::value detail;
    if (!result.failure.empty())
        detail = result.failure;
    co_return json_response(
        200,
        json::object{
            {"delivered", result.delivered()},
            {"message_id", message},
            {"status", std::move(status)},
            {"detail", std::move(detail)},
        }
    );
}

} // namespace cpm::http
