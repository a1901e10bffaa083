#include "http/streams.hpp"

#include "http/notification_answers.hpp"
#include "projections/server_json.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <charconv>
#include <variant>
#include <vector>

namespace cpm::http {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

/// One message, still without its id and the empty line that ends it.
std::string message(std::string_view event, json::object const& data) {
    return fmt::format("event: {}\ndata: {}\n", event, json::serialize(data));
}

/// "105". Once a rollback was accepted, "105.2", with the epoch: what had this sequence in the
/// history that was lost is not what has it now.
std::string id_text(eventstore::Head const& head) {
    return head.epoch == 1 ? fmt::format("{}", head.sequence.value)
                           : fmt::format("{}.{}", head.sequence.value, head.epoch);
}

/// The messages of one decision (or a batch of them): only the last carries the id, so that nobody
/// resumes from the middle.
std::string joined(std::vector<std::string> const& messages, eventstore::Head const& head) {
    std::string text;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        text += messages[i];
        if (i + 1 == messages.size())
            text += fmt::format("id: {}\n", id_text(head));
        text += '\n';
    }
    return text;
}

/// The sequence of an id of this epoch.
std::optional<core::Sequence> parse_id(std::string_view text, std::uint64_t epoch) {
    eventstore::Head head;
    head.epoch = epoch;
    auto const* const last = text.data() + text.size();
    auto const [end, fault] = std::from_chars(text.data(), last, head.sequence.value);
    if (fault != std::errc() || !head.sequence || id_text(head) != text)
        return std::nullopt;
    return head.sequence;
}

template <class Payload>
bool has(std::vector<core::Event> const& events) {
    return std::ranges::any_of(events, [](core::Event const& event) {
        return std::holds_alternative<Payload>(event.payload);
    });
}

} // namespace

/// One connection's queue.
class Streams::Client final : public ResponseStream {
  public:
    Client(Streams& streams, Caller const& caller)
        : streams_(streams)
        , caller_(caller)
        , wake_(streams.io_) {
        streams_.clients_.insert(this);
    }
    ~Client() override { streams_.clients_.erase(this); }

    Caller const& caller() const { return caller_; }

    void begin(Message text) { queue_.push_back(std::move(text)); }

    /// Ends the stream when its queue is full.
    void push(Message const& text) {
        if (ended_)
            return;
        queued_ += text->size();
        if (queued_ > kMaxQueuedBytes) {
            drop();
            return;
        }
        queue_.push_back(text);
        wake_.cancel();
    }

    asio::awaitable<Message> next() override {
        // A comment comes every 15 s, so this wait is never longer.
        while (queue_.empty() && !ended_) {
            wake_.expires_at(asio::steady_timer::time_point::max());
            boost::system::error_code error;
            co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, error));
        }
        if (ended_)
            co_return nullptr;
        auto text = std::move(queue_.front());
        queue_.pop_front();
        queued_ -= std::min(queued_, text->size());
        co_return text;
    }

    void end() override {
        ended_ = true;
        queue_.clear();
        wake_.cancel();
    }

    void drop() override {
        if (!ended_)
            ++streams_.dropped_;
        end();
    }

  private:
    Streams& streams_;
    Caller caller_;
    asio::steady_timer wake_;
    std::deque<Message> queue_;
    std::size_t queued_ = 0;
    bool ended_ = false;
};

Streams::Streams(
    asio::io_context& io,
    ReadModel& model,
    Authentication const& authentication,
    manager::Clock const& clock
)
    : io_(io)
    , model_(model)
    , authentication_(authentication)
    , clock_(clock) {
    model_.observe([this](Applied const& applied) { on_applied(applied); });
}

Streams::~Streams() = default;

void Streams::loaded() {
    resumable_from_ = model_.head().sequence;
}

std::shared_ptr<ResponseStream>
Streams::open(Caller const& caller, std::optional<std::string_view> last_event_id) {
    auto client = std::make_shared<Client>(*this, caller);
    auto const& head = model_.head();
    auto const id = last_event_id ? parse_id(*last_event_id, head.epoch) : std::nullopt;
    bool const is_known = id && *id >= resumable_from_ && *id <= head.sequence;
    if (is_known && !rolled_back_) {
        client->begin(changes_since(*id));
    } else {
        // Whoever comes at the same time shares one: after a restart all come.
        auto const [sequence, text] = recent_snapshot();
        client->begin(text);
        if (sequence < head.sequence)
            client->begin(changes_since(sequence));
    }
    if (stopping_)
        client->end();
    return client;
}

void Streams::set_rolled_back(bool is_rolled_back) {
    if (rolled_back_ == is_rolled_back)
        return;
    rolled_back_ = is_rolled_back;
    snapshot_ = {};
    broadcast(snapshot());
}

void Streams::tick(core::Now now) {
    end_unauthorized(now);
    if (now.mono - seen_sent_ >= kSeenEvery) {
        seen_sent_ = now.mono;
        send_seen();
    }
    if (now.mono - comment_sent_ >= kCommentEvery) {
        comment_sent_ = now.mono;
        broadcast(":\n\n");
    }
}

void Streams::stop() {
    stopping_ = true;
    for (auto* const client : clients_)
        client->end();
}

void Streams::on_applied(Applied const& applied) {
    auto const& publication = applied.publication;
    auto const head = publication.head.sequence;
    if (!publication.changes.empty())
        end_unauthorized(publication.now);
    if (publication.events.empty())
        return;
    auto const first = publication.events.front().sequence;
    std::vector<std::string> messages;
    std::set<core::ServerId> told;
    for (auto const& event : publication.events) {
        if (std::holds_alternative<core::ServerRemoved>(event.payload)) {
            messages.push_back(message("server_removed", {{"id", to_string(event.server)}}));
            note_gone(head, messages.back());
            seen_.erase(event.server);
        }
        auto const* const server = model_.fleet().find(event.server);
        if (!server)
            continue;
        if (server->changed < first)
            seen_.insert(server->id);
        else if (told.insert(server->id).second && !clients_.empty())
            messages.push_back(server_message(*server, publication.now));
    }
    for (auto const id : told)
        seen_.erase(id);
    for (auto const& id : applied.notifications.cleared) {
        messages.push_back(message("notification_cleared", {{"id", id}}));
        note_gone(head, messages.back());
        shown_.erase(id);
    }
    for (auto const& id : applied.notifications.shown)
        if (auto const* const notification = model_.notifications().find(id)) {
            messages.push_back(message("notification", projections::to_json(*notification)));
            shown_.insert_or_assign(id, head);
        }
    if (has<core::SettingsChanged>(publication.events)) {
        resumable_from_ = head;
        if (!clients_.empty())
            broadcast(snapshot());
    } else if (!messages.empty()) {
        broadcast(joined(messages, publication.head));
    }
}

void Streams::note_gone(core::Sequence sequence, std::string message) {
    gone_.emplace_back(sequence, std::move(message));
    if (gone_.size() <= kMaxForgotten)
        return;
    resumable_from_ = std::max(resumable_from_, gone_.front().first);
    gone_.pop_front();
}

std::string Streams::snapshot() const {
    auto const now = clock_.now();
    json::array servers;
    for (auto const& [id, server] : model_.fleet().servers)
        servers.push_back(projections::to_json(
            server, model_.fleet().settings, model_.standby_remaining(server, now.mono), now.wall
        ));
    json::array notifications;
    if (rolled_back_)
        notifications.push_back(rolled_back_notification());
    for (auto const* const notification : model_.notifications().items())
        notifications.push_back(projections::to_json(*notification));
    auto const& head = model_.head();
    json::object data{
        {"servers", std::move(servers)},
        {"notifications", std::move(notifications)},
        {"epoch", head.epoch},
        {"sequence", head.sequence.value},
    };
    return joined({message("snapshot", data)}, head);
}

std::pair<core::Sequence, Streams::Message> Streams::recent_snapshot() {
    auto const now = clock_.now().mono;
    auto text = snapshot_.text.lock();
    if (!text || snapshot_.sequence < resumable_from_ || now - snapshot_.at > kSnapshotAge) {
        text = std::make_shared<std::string const>(snapshot());
        snapshot_ = {text, model_.head().sequence, now};
    }
    return {snapshot_.sequence, std::move(text)};
}

Streams::Message Streams::changes_since(core::Sequence id) const {
    auto const now = clock_.now();
    std::vector<std::string> messages;
    for (auto const& [sequence, text] : gone_)
        if (sequence > id)
            messages.push_back(text);
    for (auto const& [server_id, server] : model_.fleet().servers)
        if (server.changed > id)
            messages.push_back(server_message(server, now));
    for (auto const& [notification_id, changed] : shown_)
        if (auto const* const found = model_.notifications().find(notification_id);
            found && changed > id)
            messages.push_back(message("notification", projections::to_json(*found)));
    return std::make_shared<std::string const>(
        messages.empty() ? ":\n\n" : joined(messages, model_.head())
    );
}

std::string Streams::server_message(core::Server const& server, core::Now now) const {
    return message(
        "server",
        projections::to_json(
            server, model_.fleet().settings, model_.standby_remaining(server, now.mono), now.wall
        )
    );
}

void Streams::broadcast(std::string text) {
    auto const shared = std::make_shared<std::string const>(std::move(text));
    for (auto* const client : clients_)
        client->push(shared);
}

void Streams::send_seen() {
    json::array servers;
    for (auto const id : seen_)
        if (auto const* const server = model_.fleet().find(id); server && server->last_heartbeat_at)
            servers.push_back(json::object{
                {"id", to_string(id)},
                {"last_heartbeat_at", core::to_rfc3339(*server->last_heartbeat_at)},
            });
    seen_.clear();
    if (servers.empty() || clients_.empty())
        return;
    broadcast(message("seen", {{"servers", std::move(servers)}}) + "\n");
}

void Streams::end_unauthorized(core::Now now) {
    for (auto* const client : clients_)
        if (!authentication_.still_counts(client->caller(), now))
            client->end();
}

} // namespace cpm::http
