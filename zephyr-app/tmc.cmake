# The C that `tmc build --emit c` wrote, as part of an application: its sources with the parts of the run-time library
# that it uses, their flags, their include folders. It knows no port: who uses it says where log() prints.
#
#   include(…/tmc/zephyr-app/tmc.cmake)
#   tmc_target_program(app build/filter/gen)
#
# SPDX-License-Identifier: Apache-2.0
include_guard(GLOBAL)

get_filename_component(TMC_RUNTIME "${CMAKE_CURRENT_LIST_DIR}/../runtime-c" ABSOLUTE)

# tmc_target_program(TARGET GEN_DIR [OPTION...]): OPTIONs are further compiler options of these sources, e.g. -O2.
# GEN_DIR/sources.txt has one source file a line, relative to GEN_DIR, absolute, or, with the prefix runtime-c/, of this
# package. Lines that begin with # are comments. Call it in the folder where TARGET was made (Zephyr: the application's).
function(tmc_target_program target gen_dir)
  get_filename_component(gen_dir "${gen_dir}" ABSOLUTE)
  if(NOT EXISTS "${gen_dir}/sources.txt")
    message(FATAL_ERROR "${gen_dir} has no sources.txt: `tmc build --board BOARD --emit c` writes one, into gen/")
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${gen_dir}/sources.txt")

  file(STRINGS "${gen_dir}/sources.txt" lines REGEX "^[^#]")
  set(sources "")
  foreach(line IN LISTS lines)
    if(IS_ABSOLUTE "${line}")
      list(APPEND sources "${line}")
    elseif(line MATCHES "^runtime-c/(.*)$")
      list(APPEND sources "${TMC_RUNTIME}/${CMAKE_MATCH_1}")
    else()
      list(APPEND sources "${gen_dir}/${line}")
    endif()
  endforeach()

  target_sources(${target} PRIVATE ${sources})
  # Results are equal on every target: no fused multiply-add, no reordering. #line leads to TypeScript.
  set_source_files_properties(${sources} PROPERTIES COMPILE_OPTIONS
    "-Wall;-Wextra;-Wconversion;-Wshadow;-ffp-contract=off;-fno-fast-math;${ARGN}")
  target_include_directories(${target} PRIVATE "${gen_dir}" "${TMC_RUNTIME}/include")
endfunction()
