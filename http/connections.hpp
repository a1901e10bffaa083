#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

namespace cpm::http {

/// Counts the open connections against their limits (HTTP 3.5).
///
/// A quarter of all places is kept for agents: people, and callers who have not said yet who they
/// are, hold at most three quarters for longer than one request. A connection counts as an agent's
/// from its first request with an agent's credential on, and as a person's again from a request
/// without one. (A join brings no credential yet: strangers could fill the quarter with joins.)
/// When the people's places are taken, a new connection may still come in; if its first request is
/// not an agent's, it ends with 429.
/// When all places are taken, a caller from an address with few connections still gets in: of the
/// address with the most connections that have not said yet who they are (slow to agree on keys, or
/// silent), the oldest gives up its place. So a few such addresses cannot keep all others out.
///
/// Concurrency: one thread.
class Connections {
    enum class Holder { Unknown, Agent, Person };

    struct Seat {
        std::string address;
        bool is_many = false;
        Holder holder = Holder::Unknown;
        bool is_lost = false; ///< given to another; its connection is ending
        std::function<void()> on_lost{};
    };

  public:
    struct Limits {
        std::size_t all = 1024;
        std::size_t an_address = 256; ///< loopback, a trusted proxy: only the first limit counts
        std::size_t people = 768;

        /// As many of these as a process with this many file descriptors can hold, the people's
        /// share reduced alike: the log needs descriptors, too, and the manager ends when it cannot
        /// open a file.
        Limits within(std::size_t descriptors) const;
        static constexpr std::size_t kForTheRest = 256;
    };

    /// One connection's place; gives it back when it goes.
    class Place {
      public:
        Place(std::shared_ptr<Connections> connections, std::string address, bool is_many);
        Place(Place&&) = default;
        Place& operator=(Place&&) = delete;
        ~Place();

        /// Says whose request came; false: people's places are taken, and this is no agent's.
        [[nodiscard]] bool admit(bool is_agent);
        /// What to do when the place is given to another: end the connection. Not called from
        /// within a call of this connection.
        void on_lost(std::function<void()> end) { seat_->on_lost = std::move(end); }

      private:
        std::shared_ptr<Connections> connections_; ///< null after a move
        std::list<Seat>::iterator seat_;
    };

    explicit Connections(Limits limits)
        : limits_(limits) {}

    /// A place, or which limit is reached, as a sentence. `is_many`: many call from this address.
    static std::variant<Place, std::string>
    take(std::shared_ptr<Connections> const& connections, std::string const& address, bool is_many);

    std::size_t count() const { return count_; }

  private:
    bool give_up_one(std::string const& caller);
    void give_back(Seat& seat);

    Limits limits_;
    std::list<Seat> seats_; ///< in the order they were taken
    std::size_t count_ = 0;
    std::size_t people_ = 0;
    std::unordered_map<std::string, std::size_t> by_address_;
};

} // namespace cpm::http
