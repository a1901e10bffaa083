#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

namespace cpm::http {

/// Counts the open connections against their limits (HTTP 3.5).
///
/// A quarter of all places is kept for agents: people, and whoever has not said yet who he is, hold
/// at most three quarters for longer than one request. A connection is an agent's from the request
/// that brought an agent's credential on (a join brings none yet: strangers could fill the quarter
/// with them), and a person's again from one that did not.
/// When the people's places are taken a new connection may still come in; if its first request is
/// no agent's it ends with 429.
///
/// Concurrency: one thread.
class Connections {
  public:
    struct Limits {
        std::size_t all = 1024;
        std::size_t an_address = 256; ///< loopback, a trusted proxy: only the first limit counts
        std::size_t people = 768;

        /// Of these what a process with so many file descriptors can hold, people's share alike:
        /// the log needs some, too, and one that cannot open a file ends the manager.
        Limits within(std::size_t descriptors) const;
        static constexpr std::size_t kForTheRest = 256;
    };

    /// One connection's place; gives it back when it goes.
    class Place {
      public:
        Place(std::shared_ptr<Connections> connections, std::string address);
        Place(Place&&) = default;
        Place& operator=(Place&&) = delete;
        ~Place();

        /// Says whose request came; false: people's places are taken, and this is no agent's.
        [[nodiscard]] bool admit(bool is_agent);

      private:
        enum class Holder { Unknown, Agent, Person };
        std::shared_ptr<Connections> connections_; ///< null after a move
        std::string address_;
        Holder holder_ = Holder::Unknown;
    };

    explicit Connections(Limits limits)
        : limits_(limits) {}

    /// A place, or which limit is reached, as a sentence. `is_many`: many call from this address.
    static std::variant<Place, std::string>
    take(std::shared_ptr<Connections> const& connections, std::string const& address, bool is_many);

    std::size_t count() const { return count_; }

  private:
    Limits limits_;
    std::size_t count_ = 0;
    std::size_t people_ = 0;
    std::unordered_map<std::string, std::size_t> by_address_;
};

} // namespace cpm::http
