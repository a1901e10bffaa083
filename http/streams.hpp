#pragma once

#include "http/authentication.hpp"
#include "http/message.hpp"
#include "http/read_model.hpp"
#include "manager/clock.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace cpm::http {

/// The Server-Sent Events of GET /api/v1/stream (HTTP 3.2).
///
/// Operation: each batch becomes its messages once, for all clients; the last of them carries the
/// batch's last sequence as its id. Every client has a queue with a limit: one that reads too
/// slowly is dropped, counted, and resumes by state when it comes again. A changed setting changes
/// what is shown of every server, so it is a new snapshot.
///
/// Ids are opaque to clients.
///
/// Resuming: what a client missed is found by the sequences at which servers and notifications last
/// changed. Only what this process has seen can be told so; an id from before it, or one that is
/// ahead of the log, gets a snapshot.
///
/// Concurrency: the interface's thread.
class Streams {
  public:
    static constexpr core::seconds kSeenEvery{5};
    static constexpr core::seconds kCommentEvery{15};
    static constexpr core::seconds kSnapshotAge{1}; ///< sent to whoever comes meanwhile, too
    static constexpr std::size_t kMaxQueuedBytes = 4 * 1024 * 1024; ///< beside a client's snapshot
    static constexpr std::size_t kMaxForgotten = 4096; ///< removals that can still be told

    Streams(
        boost::asio::io_context& io,
        ReadModel& model,
        Authentication const& authentication,
        manager::Clock const& clock
    );
    ~Streams();

    /// A client's stream: the snapshot, or what changed since `last_event_id`, then all that
    /// follows.
    std::shared_ptr<ResponseStream>
    open(Caller const& caller, std::optional<std::string_view> last_event_id);

    /// The end of the history: ids from here on can be resumed from.
    void loaded();
    /// That the log was rolled back, or that this was accepted: a new snapshot says so. Meanwhile
    /// nobody resumes: an id does not tell of which history it is.
    void set_rolled_back(bool is_rolled_back);
    /// Call often: sends what is due, and ends the streams whose session ended.
    void tick(core::Now now);
    /// Ends every stream; further ones end at once.
    void stop();

    std::size_t clients() const { return clients_.size(); }
    std::uint64_t dropped() const { return dropped_; }

  private:
    using Message = std::shared_ptr<std::string const>;
    class Client;

    void on_applied(Applied const& applied);
    void note_gone(core::Sequence sequence, std::string message);
    std::string snapshot() const;
    std::pair<core::Sequence, Message> recent_snapshot();
    Message changes_since(core::Sequence id) const;
    std::string server_message(core::Server const& server, core::Now now) const;
    void broadcast(std::string text);
    void send_seen();
    void end_unauthorized(core::Now now);

    boost::asio::io_context& io_;
    ReadModel& model_;
    Authentication const& authentication_;
    manager::Clock const& clock_;

    std::unordered_set<Client*> clients_;
    std::uint64_t dropped_ = 0;
    bool stopping_ = false;
    bool rolled_back_ = false;

    /// The last one, as long as somebody is being sent it.
    struct Snapshot {
        std::weak_ptr<std::string const> text;
        core::Sequence sequence;
        core::MonoTime at{};
    };
    Snapshot snapshot_;
    core::Sequence resumable_from_;                           ///< older ids get a snapshot
    std::deque<std::pair<core::Sequence, std::string>> gone_; ///< messages of what was removed
    std::unordered_map<std::string, core::Sequence> shown_;   ///< when a notification last changed
    std::set<core::ServerId> seen_; ///< routine heartbeats since the last `seen`
    core::MonoTime seen_sent_{};
    core::MonoTime comment_sent_{};
};

} // namespace cpm::http
