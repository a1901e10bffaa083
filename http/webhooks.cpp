#include "http/webhooks.hpp"

#include "http/app.hpp"
#include "manager/webhook_commands.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace cpm::http {
namespace {

using core::seconds;

/// The pause after each attempt that failed; after the last it is given up.
constexpr std::array kPauses{
    seconds(5),
    seconds(30),
    seconds(120),
    seconds(600),
    seconds(1800),
    seconds(3600),
    seconds(7200),
    seconds(14400),
    seconds(28800),
    seconds(28800)};
constexpr unsigned kGone = 410;

std::string text_of(WebhookResult const& result) {
    return result.status > 0 ? fmt::format("answered {}", result.status) : result.failure;
}

std::int64_t unix_seconds(core::WallTime time) {
    return std::chrono::floor<seconds>(time.time_since_epoch()).count();
}

} // namespace

Webhooks::Webhooks(
    boost::asio::io_context& io, ReadModel& model, manager::Clock const& clock, Report report
)
    : io_(io)
    , model_(model)
    , clock_(clock)
    , report_(std::move(report)) {
    model_.observe([this](Applied const& applied) { on_applied(applied); });
}

Webhooks::~Webhooks() = default;

void Webhooks::start(App& app) {
    app_ = &app;
    follow_webhooks();
    taken_ = model_.raised().count();
    auto const now = clock_.now().mono;
    for (auto& [id, receiver] : receivers_) {
        auto const& webhook = *model_.accounts().find_webhook(id);
        for (auto const& raised : model_.raised().items())
            if (raised->raised_by > webhook.told)
                receiver.pending.push_back(std::make_shared<Pending>(Pending{raised, 0, now}));
    }
}

void Webhooks::on_applied(Applied const& applied) {
    if (!app_)
        return;
    if (!applied.publication.changes.empty())
        follow_webhooks();
    take_news(applied.publication.now.mono);
}

/// A receiver for each webhook that is enabled, and for no other.
void Webhooks::follow_webhooks() {
    auto const& webhooks = model_.accounts().webhooks();
    std::erase_if(receivers_, [&](auto const& entry) {
        auto const found = webhooks.find(entry.first);
        return found == webhooks.end() || !found->second.enabled;
    });
    for (auto const& [id, webhook] : webhooks)
        if (webhook.enabled)
            receivers_.try_emplace(id);
}

void Webhooks::take_news(core::MonoTime now) {
    auto const& items = model_.raised().items();
    auto const fresh = std::min<std::uint64_t>(model_.raised().count() - taken_, items.size());
    taken_ = model_.raised().count();
    auto const due = now + projections::RaisedNotifications::kSettle;
    for (auto& [id, receiver] : receivers_) {
        for (auto it = items.end() - static_cast<std::ptrdiff_t>(fresh); it != items.end(); ++it)
            receiver.pending.push_back(std::make_shared<Pending>(Pending{*it, 0, due}));
        while (receiver.pending.size() > projections::RaisedNotifications::kMost)
            receiver.pending.pop_front();
    }
}

void Webhooks::set_rolled_back(bool rolled_back) {
    bool const is_news = rolled_back && !rolled_back_;
    rolled_back_ = rolled_back;
    if (!is_news)
        return;
    auto const now = clock_.now().mono;
    for (auto& [id, receiver] : receivers_)
        receiver.pending.push_back(std::make_shared<Pending>(Pending{nullptr, 0, now}));
}

void Webhooks::tick(core::Now now) {
    if (stopping_)
        return;
    for (auto& [id, receiver] : receivers_)
        if (!receiver.busy && !receiver.pending.empty())
            send_due(*model_.accounts().find_webhook(id), receiver, now);
}

void Webhooks::send_due(manager::Webhook const& webhook, Receiver& receiver, core::Now now) {
    bool has_news = false;
    for (auto const& item : receiver.pending) {
        if (item->done || item->due > now.mono)
            continue;
        bool const wanted =
            item->raised ? !item->raised->went_at_once && wants(webhook, item->raised->notification)
                         : rolled_back_;
        // Once tried it is sent until it arrives: the receiver may have seen it already.
        if (wanted || item->attempts > 0) {
            receiver.busy = true;
            boost::asio::co_spawn(io_, deliver(webhook, item), boost::asio::detached);
            return;
        }
        item->done = has_news = true;
    }
    if (!has_news)
        return;
    receiver.busy = true;
    boost::asio::co_spawn(io_, forget_done(webhook.id), boost::asio::detached);
}

boost::asio::awaitable<void>
Webhooks::deliver(manager::Webhook webhook, std::shared_ptr<Pending> item) {
    auto message = item->raised ? compose_message(webhook, *item->raised)
                                : compose_rolled_back(webhook, model_.head().epoch);
    auto const at = unix_seconds(clock_.now().wall);
    WebhookResult result;
    try {
        result = co_await post_webhook(io_, webhook.url, std::move(message), webhook.secret, at);
    } catch (std::exception const& error) { // no system may keep the others from being sent
        result.failure = error.what();
    }
    conclude(webhook, *item, result, clock_.now());
    co_await forget_done(webhook.id);
}

void Webhooks::conclude(
    manager::Webhook const& webhook, Pending& item, WebhookResult const& result, core::Now now
) {
    auto const said = text_of(result);
    if (auto const found = receivers_.find(webhook.id); found != receivers_.end())
        found->second.last_result = said;
    auto const pause_number = item.attempts++;
    if (result.delivered()) {
        item.done = true;
        return;
    }
    if (result.status == kGone || pause_number == kPauses.size()) {
        item.done = true;
        report_(fmt::format("webhook {} ({}): {}; given up", webhook.name, webhook.id, said));
        return;
    }
    auto const pause = std::max(kPauses.at(pause_number), result.retry_after.value_or(seconds(0)));
    item.due = now.mono + pause;
    report_(fmt::format(
        "webhook {} ({}): {}; tried again in {} s", webhook.name, webhook.id, said, pause.count()
    ));
}

/// Keeps how far its receiver was told, and lets the next one go.
boost::asio::awaitable<void> Webhooks::forget_done(std::string id) {
    auto found = receivers_.find(id);
    core::Sequence told;
    while (found != receivers_.end()) {
        auto& pending = found->second.pending;
        if (pending.empty() || !pending.front()->done)
            break;
        if (pending.front()->raised)
            told = pending.front()->raised->raised_by;
        pending.pop_front();
    }
    if (told) {
        manager::NoteWebhookTold command{id, told};
        // One that cannot be kept now is kept with the next.
        (void)co_await execute(*app_, std::move(command));
    }
    found = receivers_.find(id);
    if (found != receivers_.end())
        found->second.busy = false;
}

boost::asio::awaitable<WebhookResult> Webhooks::test(manager::Webhook webhook, std::string id) {
    auto const now = clock_.now().wall;
    auto message = compose_test(webhook, id, now);
    auto const at = unix_seconds(now);
    auto result = co_await post_webhook(io_, webhook.url, std::move(message), webhook.secret, at);
    if (auto const found = receivers_.find(webhook.id); found != receivers_.end())
        found->second.last_result = text_of(result);
    co_return result;
}

Webhooks::Progress Webhooks::progress(std::string_view id) const {
    auto const found = receivers_.find(id);
    if (found == receivers_.end())
        return {};
    return {found->second.pending.size(), found->second.last_result};
}

} // namespace cpm::http
