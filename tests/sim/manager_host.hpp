#pragma once

#include "tests/sim/dice.hpp"
#include "tests/sim/disk.hpp"
#include "tests/sim/service.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace cpm::sim {

class World;

/// The keys that all runs of this process share: made once, in a folder that is gone afterwards.
manager::Keys const& the_keys();

/// The machine on which the manager runs: its disk, its clocks, the process's lives, and whoever
/// starts it again (systemd, and an operator for what systemd cannot).
class ManagerHost final : public ServiceWatch {
  public:
    enum class Space : std::uint8_t { Plenty, Reserve, Full };

    explicit ManagerHost(World& world);
    ~ManagerHost() override;

    // --- what the world asks of it

    void receive(std::shared_ptr<Request const> const& request, ReplyTo reply);
    bool is_serving() const { return service_ && service_->is_serving(); }
    Service* service() { return service_.get(); }
    Disk const& disk() const { return disk_; }
    HostClock& clock() { return clock_; }

    // --- what happens to it

    void start(bool accept_truncated = false);
    /// The process ends at once, as by kill -9, and comes back.
    void kill();
    void kill_in_append() { kills_in_append_ = true; }
    /// The same, and again while it reads its log.
    void kill_in_recovery();
    void crash_host();
    void pause(Time length);
    void step_wall(std::chrono::microseconds by);
    void fail_next_sync() { fails_next_sync_ = true; }
    void slow_down(Time sync, Time until);
    void set_space(Space space);
    Space space() const { return space_; }
    bool is_full() const { return space_ == Space::Full; }
    void take_copy() { copy_ = disk_.copy(); }
    /// The copy taken last is put back, as an operator does after a disaster.
    void put_copy_back();
    void cut_log_short();
    /// Something happens to its newest snapshot.
    void damage_snapshot();
    void lose_snapshots();
    /// From now on nothing goes wrong with it any more.
    void calm();

    // --- ServiceWatch

    void serves(Time armed) override;
    void published(manager::Publication const& publication, Time durable) override;
    void answered(Request const& request, manager::ManifestOutcome const& outcome) override;
    void turns(Time free_since, bool listening) override;
    void turned(manager::Engine const& engine, std::size_t held, std::size_t queued) override;
    void reports(std::string_view line) override;
    void gave_up(core::Error const& error) override;

  private:
    struct Random final : manager::Random {
        explicit Random(Dice& of)
            : dice(of) {}
        void fill(std::span<std::uint8_t> bytes) override { dice.fill(bytes); }
        Dice& dice;
    };
    struct Sender final : wol::WakeSender {
        explicit Sender(World& of)
            : world(of) {}
        wol::WakeResult send(wol::WakeTarget const& target) override;
        bool is_local(wol::Ipv4Address const& address) override { return address[2] == 0; }
        World& world;
    };

    DiskMood mood();
    void end_process(bool power_cut = false);
    void start_after(Time delay, bool accept_truncated = false);
    std::uint64_t free_bytes() const;

    World& world_;
    Disk disk_;
    HostClock clock_;
    Random random_;
    Sender sender_;
    Log::Surroundings around_;
    std::unique_ptr<Service> service_;
    std::uint64_t starts_ = 0;
    bool is_rebooted_ = false;
    bool is_reset_ = false; ///< connections are told that the process has ended
    std::optional<Disk::Content> copy_;
    bool fails_next_sync_ = false;
    bool kills_in_append_ = false;
    bool kills_in_recovery_ = false;
    Time slow_sync_{};
    Time slow_until_{};
    Space space_ = Space::Plenty;
    bool was_full_ = false; ///< at the last turn
};

} // namespace cpm::sim
