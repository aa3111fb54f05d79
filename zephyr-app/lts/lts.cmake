# What the application needs to be built with Zephyr 3.7 LTS; included before Zephyr is. It does nothing with 4.x.
# The parts that the release has not are beside it: boards/, soc/.
#
# SPDX-License-Identifier: Apache-2.0
include_guard(GLOBAL)

file(STRINGS "$ENV{ZEPHYR_BASE}/VERSION" tmc_zephyr_3 REGEX "^VERSION_MAJOR *= *3$")
if(tmc_zephyr_3)
  if("${BOARD}" MATCHES "^mps2/an386")
    # By its folder: a second board with the name mps2 would not be found otherwise.
    set(BOARD_DIR "${CMAKE_CURRENT_LIST_DIR}/boards/arm/mps2" CACHE PATH "Board directory")
    list(APPEND SOC_ROOT "${CMAKE_CURRENT_LIST_DIR}")
  endif()
endif()

# Call it behind find_package(Zephyr).
function(tmc_lts_sources)
  if(tmc_zephyr_3 AND CONFIG_TMC_QEMU AND NOT CONFIG_CSPRNG_ENABLED)
    target_sources(app PRIVATE "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/test-random.c")
  endif()
  # The driver of the Wi-Fi module compiles with the IP stack only: eswifi.h
  if(tmc_zephyr_3 AND CONFIG_WIFI_ESWIFI AND NOT CONFIG_NET_NATIVE)
    set_property(
      SOURCE "${ZEPHYR_BASE}/drivers/wifi/eswifi/eswifi_core.c"
      TARGET_DIRECTORY drivers__wifi
      APPEND PROPERTY COMPILE_OPTIONS -include "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/eswifi.h")
  endif()
endfunction()
