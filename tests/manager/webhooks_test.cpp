// Webhooks as people change them (HTTP 3.2): kept whole, told without secrets.
#include "manager/accounts_codec.hpp"
#include "manager/webhook_commands.hpp"
#include "tests/manager/rig.hpp"

using namespace cpm;
using namespace cpm::test;
using namespace cpm::manager;
using core::ErrorCode;

namespace {

AddWebhook adding(std::string url) {
    AddWebhook command;
    command.actor = kAlice;
    command.webhook.name = "ops";
    command.webhook.url = std::move(url);
    command.webhook.preset = WebhookPreset::Slack;
    command.webhook.statuses = {core::ActualStatus::Crashed};
    return command;
}

/// As a start reads it.
std::optional<Webhook> stored(Rig& rig, std::string const& id) {
    std::optional<Webhook> found;
    auto const read = rig.log().read_table(eventstore::Table::Accounts, [&](auto key, auto value) {
        if (key == "webhook/" + id)
            found = std::get<Webhook>(decode_account(key, value).value());
    });
    REQUIRE(read);
    return found;
}

std::string told_of(Rig const& rig) {
    auto const event = rig.last("SettingsChanged");
    auto const& changes = std::get<core::SettingsChanged>(event.payload).changes;
    REQUIRE(changes.size() == 1);
    return changes.front().first + " " + changes.front().second;
}

} // namespace

TEST_CASE("webhooks: one is kept whole, and the log tells of it without secrets (HTTP 3.2)") {
    Rig rig;
    auto const made = rig.ask(adding("https://hooks.example/T1/secret?x=y"));
    REQUIRE(made);
    CHECK(webhook_key(made->secret).value_or("").size() == 32);
    auto const hook = stored(rig, made->id);
    REQUIRE(hook);
    CHECK(hook->secret == made->secret);
    CHECK(hook->url == "https://hooks.example/T1/secret?x=y");
    CHECK(hook->preset == WebhookPreset::Slack);
    CHECK(hook->statuses == std::vector{core::ActualStatus::Crashed});
    CHECK(hook->told == made->sequence);
    CHECK(
        told_of(rig) == "webhooks." + made->id +
                            R"( {"name":"ops","to":"https://hooks.example","preset":"slack",)"
                            R"("statuses":["Crashed"],"enabled":true})"
    );
    // No setting of that name: what evolves is the same as without it.
    CHECK(rig.replayed().settings == core::Settings{});
}

TEST_CASE("webhooks: a change holds for the version that was seen, and nothing twice (HTTP 3.2)") {
    Rig rig;
    auto const made = rig.ask(adding("https://x/"));
    REQUIRE(made);
    rig.happened();
    auto const rename = [](Webhook& webhook) { webhook.name = "new"; };
    ChangeWebhook change{kAlice, made->id, core::Sequence{1}, rename};
    CHECK(rig.ask(change).error().code == ErrorCode::Stale);
    change.if_match = made->sequence;
    auto const changed = rig.ask(change);
    REQUIRE(changed);
    CHECK(stored(rig, made->id)->name == "new");
    CHECK(stored(rig, made->id)->version == changed->sequence);
    change.if_match.reset();
    CHECK_FALSE(rig.ask(change)->sequence);
    CHECK(rig.happened() == Names{"SettingsChanged"});
    CHECK(
        rig.ask(RemoveWebhook{kAlice, made->id, made->sequence}).error().code == ErrorCode::Stale
    );
    REQUIRE(rig.ask(RemoveWebhook{kAlice, made->id, {}}));
    CHECK(told_of(rig) == "webhooks." + made->id + " null");
    CHECK_FALSE(stored(rig, made->id));
    CHECK(rig.ask(change).error().code == ErrorCode::NotFound);
}

TEST_CASE("webhooks: how far one was told only rises, and while it is off it rises, too") {
    Rig rig;
    auto const made = rig.ask(adding("https://x/"));
    REQUIRE(made);
    rig.happened();
    REQUIRE(rig.ask(NoteWebhookTold{made->id, core::Sequence{50}}));
    REQUIRE(rig.ask(NoteWebhookTold{made->id, core::Sequence{40}}));
    REQUIRE(rig.ask(NoteWebhookTold{"whk_unknown", core::Sequence{60}}));
    CHECK(rig.happened().empty());
    CHECK(stored(rig, made->id)->told == core::Sequence{50});
    CHECK(stored(rig, made->id)->version == made->sequence);
    auto const enable = [](bool enabled) {
        return [enabled](Webhook& webhook) { webhook.enabled = enabled; };
    };
    auto const off = rig.ask(ChangeWebhook{kAlice, made->id, {}, enable(false)});
    REQUIRE(off);
    CHECK(stored(rig, made->id)->told == core::Sequence{50});
    auto const on = rig.ask(ChangeWebhook{kAlice, made->id, {}, enable(true)});
    REQUIRE(on);
    CHECK(stored(rig, made->id)->told == on->sequence);
}
