#include "tests/sim/network.hpp"

#include "tests/sim/world.hpp"

namespace cpm::sim {

using namespace std::chrono_literals;

Network::Line& Network::line(Machine const& of) {
    auto const number = of.build().number;
    if (lines_.size() <= number)
        lines_.resize(number + 1);
    return lines_[number];
}

Time Network::latency() {
    return Time(world_.dice(Chance::Network).between(100'000, 2'000'000));
}

/// Of what is late: mostly by less than a call's limit, at times by far more.
Time Network::lag() {
    auto& dice = world_.dice(Chance::Network);
    auto const longest = dice.percent(20) ? 200'000 : dice.percent(50) ? 12'000 : 2'000;
    return std::chrono::milliseconds(dice.between(50, longest));
}

Time Network::underway(Time delay) {
    quiet_from_ = std::max(quiet_from_, world_.schedule().now() + delay);
    return delay;
}

void Network::cut(Machine const& of, bool questions, Time until) {
    (questions ? line(of).no_questions : line(of).no_answers) = until;
}

void Network::heal() {
    for (auto& one : lines_)
        one.no_questions = one.no_answers = one.forged_until = {};
}

void Network::send(Machine& from, Request&& made, ReplyTo reply) {
    made.number = ++requests_;
    auto const request = std::make_shared<Request const>(std::move(made));
    auto& of = line(from);
    if (request->report())
        of.reports[++of.kept % of.reports.size()] = request;
    replay(from);
    if (world_.schedule().now() < of.no_questions || world_.happens(Fault::PacketLost, 4'000))
        return;
    if (world_.happens(Fault::PacketDuplicated, 4'000)) {
        auto again = latency(); // each roll a statement: their order is the compiler's otherwise
        if (world_.dice(Chance::Network).percent(50))
            again += lag();
        world_.schedule().after(underway(again), [this, &from, request] {
            arrive(from, request, [](auto&&) {});
        });
    }
    question(from, request, reply);
}

void Network::replay(Machine& from) {
    if (!world_.may(Fault::ReportReplayed, 800))
        return;
    auto& of = line(from);
    auto const old = of.reports[world_.dice(Chance::Network).below(of.reports.size())];
    if (!old)
        return;
    world_.journal().fault(Fault::ReportReplayed, "m{}", from.build().number);
    world_.schedule().after(underway(lag()), [this, &from, old] {
        arrive(from, old, [](auto&&) {});
    });
}

void Network::question(
    Machine& from, std::shared_ptr<Request const> const& request, ReplyTo const& reply
) {
    auto delay = latency();
    if (world_.happens(Fault::PacketDelayed, 6'000))
        delay += lag();
    world_.schedule().after(underway(delay), [this, &from, request, reply] {
        arrive(from, request, reply);
    });
}

void Network::arrive(
    Machine& from, std::shared_ptr<Request const> const& request, ReplyTo const& reply
) {
    auto& of = line(from);
    if (request->number < of.arrived)
        world_.journal().count(Fault::PacketReordered);
    of.arrived = std::max(of.arrived, request->number);
    bool const half_open = world_.happens(Fault::HalfOpen, 3'000);
    world_.manager().receive(
        request,
        [this, &from, request, reply, half_open](std::shared_ptr<Reply const> const& said) {
            if (!half_open)
                answer(from, *request, said, reply);
        }
    );
}

/// Whoever once saw an order, but has not the key, can say all of the next one but its signature.
std::shared_ptr<Reply const>
Network::forge(Machine& to, Request const& asked, std::shared_ptr<Reply const> const& genuine) {
    auto& of = line(to);
    auto const now = world_.schedule().now();
    if (genuine->status != 200 || !of.order)
        return genuine;
    if (world_.may(Fault::OrderForged, Chance::Attacks, 2'000))
        of.forged_until = now + std::chrono::seconds(world_.dice(Chance::Attacks).between(5, 90));
    if (now >= of.forged_until)
        return genuine;
    world_.journal().fault(Fault::OrderForged, "m{}", to.build().number);
    auto forged = std::make_shared<Reply>(*genuine);
    auto order = *of.order->answer.order;
    std::visit(
        [&](auto const& question) {
            order.identity = question.identity;
            order.nonce = question.nonce;
        },
        asked.question
    );
    forged->answer.power_status = core::PowerStatus::Off;
    forged->answer.order = std::move(order);
    return forged;
}

void Network::answer(
    Machine& to, Request const& asked, std::shared_ptr<Reply const> reply, ReplyTo const& tell
) {
    auto& of = line(to);
    auto& journal = world_.journal();
    journal.effect(static_cast<std::uint64_t>(reply->status));
    if (reply->status == 200) {
        journal.effect(reply->answer.manifest_version);
        if (reply->answer.order)
            journal.effect(reply->answer.order->signature);
        of.replies[++of.kept % of.replies.size()] = reply;
    }
    if (world_.schedule().now() < of.no_answers || world_.happens(Fault::PacketLost, 4'000))
        return;
    auto delay = latency();
    if (world_.happens(Fault::PacketDelayed, 6'000))
        delay += lag();
    auto old = of.replies[world_.dice(Chance::Network).below(of.replies.size())];
    auto in_a_million = 1'500U;
    if (reply->answer.order) { // an attacker would keep an order for the place of the next one
        old = std::exchange(of.order, reply);
        in_a_million = 50'000U;
    }
    if (old && old != reply && world_.may(Fault::AnswerReplayed, in_a_million)) {
        journal.fault(Fault::AnswerReplayed, "m{}", to.build().number);
        reply = old;
    }
    reply = forge(to, asked, reply);
    to.later(underway(delay), [tell, reply] { tell(reply); });
}

} // namespace cpm::sim
