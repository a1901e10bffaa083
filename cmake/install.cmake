# cmake --install BUILD --prefix /usr: where the units expect it. With --component agent only what a
# managed server needs.
include(GNUInstallDirs)
set(packaging ${PROJECT_SOURCE_DIR}/packaging)
install(TARGETS cpm-manager cpm-replay)
install(TARGETS cpm-agent COMPONENT agent)
install(FILES ${packaging}/cpm-manager.service DESTINATION lib/systemd/system)
install(FILES ${packaging}/cpm-agent.service ${packaging}/cpm-agent-hooks.service
    DESTINATION lib/systemd/system COMPONENT agent)
install(FILES ${packaging}/cpm-manager.sysusers DESTINATION lib/sysusers.d RENAME cpm-manager.conf)
install(FILES ${packaging}/cpm-agent.sysusers DESTINATION lib/sysusers.d RENAME cpm-agent.conf
    COMPONENT agent)
install(FILES ${packaging}/cpm-agent.rules DESTINATION share/polkit-1/rules.d
    RENAME 50-cpm-agent.rules COMPONENT agent)
install(FILES ${packaging}/man/cpm-replay.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${packaging}/manager.toml ${PROJECT_SOURCE_DIR}/docs/operation.md
    ${PROJECT_SOURCE_DIR}/docs/agent.sh ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION share/doc/cpm)
install(FILES ${packaging}/cpm-manager-raw-frames.conf DESTINATION share/doc/cpm
    RENAME raw-frames.conf)
