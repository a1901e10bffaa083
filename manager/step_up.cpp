#include "manager/step_up.hpp"

#include "manager/accounts_codec.hpp"
namespace cpm::manager {

core::Result<core::StepUp> weigh(Turn const& turn, Proof const& proof) {
    core::StepUp step_up{.password = proof.password, .count = proof.count};
    if (!proof.session)
        return step_up;
    auto const* session = turn.accounts().find_session(*proof.session);
    auto const* user = session ? turn.accounts().find_user(session->username) : nullptr;
    if (!user || user->disabled)
        return core::fail(core::ErrorCode::NotSignedIn, "this session has ended: sign in");
    step_up.by_session = true;
    step_up.since_password =
        std::chrono::floor<core::milliseconds>(turn.now().wall - session->password_at);
    return step_up;
}

void remember(Turn& turn, Proof const& proof) {
    if (!proof.session || proof.password != core::StepUp::Password::Right)
        return;
    auto session = *turn.accounts().find_session(*proof.session);
    session.password_at = turn.now().wall;
    turn.change(put(session));
}

} // namespace cpm::manager
