# Consil: build, test, install. `make help` lists what you can ask for.
#
#   make deps     once: the libraries this tree needs
#   make          the programs consil, consil-relay, consil-admin in build/
#   make check    everything CI runs
#
# Sources are found by wildcard: adding a file to a folder is enough. Settings
# (make NAME=value): CC, CFLAGS, BUILD, DEPS_PREFIX, WERROR, V, DESTDIR, PREFIX.

VERSION = 0.1.0
BUILD   = build
PREFIX  = /usr/local
CFLAGS  = -O2 -g

# libsodium is installed here when the system's is too old (see deps.sh).
# Several checkouts may share one: export DEPS_PREFIX=/some/where.
DEPS_PREFIX ?= $(CURDIR)/build/deps
SODIUM_MIN   = 1.0.22

# Warnings stop the build wherever results are judged, but not the build of a
# user whose newer compiler knows more warnings than ours.
WERROR ?= $(if $(filter check% lint asan tsan fuzz,$(MAKECMDGOALS)),1,0)

# --------------------------------------------------------------------- flags

# Empty, or what to give to -fsanitize= (see the targets asan, tsan and fuzz).
SANITIZE =

WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
       -Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings \
       -Wundef -Wvla -Wformat=2 -Wimplicit-fallthrough

# Overflows end the process, uninitialised memory reads as zero, jumps land only
# where they may, nothing writable is executable, no table is writable after
# start. `make lint` looks for the result in the programs.
HARDEN = -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
         -fstack-clash-protection -ftrivial-auto-var-init=zero $(BRANCHES)
HARDEN_LD = -Wl,-z,relro,-z,now,-z,noexecstack

MACHINE  := $(shell $(CC) -dumpmachine 2>/dev/null)
BRANCHES := $(if $(filter x86_64-%,$(MACHINE)),-fcf-protection) \
            $(if $(filter aarch64-%,$(MACHINE)),-mbranch-protection=standard)

# clang up to 15 wants this said aloud; later ones ignore it.
ifneq ($(findstring clang,$(shell $(CC) --version 2>/dev/null)),)
HARDEN += -enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang
endif

# Sanitizers look for what some of these options hide.
ifneq ($(SANITIZE),)
HARDEN = -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
endif

# Sections per function let the linker leave out what a program never calls:
# consil-relay must not even contain the code that opens an envelope.
ALL_CFLAGS  = -std=c17 $(CFLAGS) $(WARN) $(HARDEN) -fPIE -ffunction-sections \
              -fdata-sections -ffile-prefix-map=$(CURDIR)/= -pthread
ALL_LDFLAGS = $(LDFLAGS) -pie -pthread $(HARDEN_LD) -Wl,--gc-sections \
              -Wl,--as-needed
ALL_CPPFLAGS = -I. -D_GNU_SOURCE -DCS_VERSION=\"$(VERSION)\" \
               $(SODIUM_CFLAGS) $(MSGPACK_CFLAGS) $(CPPFLAGS)

# ----------------------------------------------------------------- libraries

pkg = $(shell pkg-config $(1) 2>/dev/null)

ifeq ($(call pkg,--atleast-version=$(SODIUM_MIN) libsodium && echo yes),yes)
SODIUM_CFLAGS := $(call pkg,--cflags libsodium)
SODIUM_LIBS   := $(call pkg,--libs libsodium)
else
SODIUM_CFLAGS := -isystem $(DEPS_PREFIX)/include
SODIUM_LIBS   := $(DEPS_PREFIX)/lib/libsodium.a
endif

# Debian 13 calls msgpack-c by its own name, Debian 12 calls it msgpack.
MSGPACK        := $(if $(call pkg,--exists msgpack-c && echo yes),msgpack-c,msgpack)
MSGPACK_CFLAGS := $(call pkg,--cflags $(MSGPACK))
MSGPACK_LIBS   := $(or $(call pkg,--libs $(MSGPACK)),-lmsgpackc)

# What each of our libraries needs from outside.
LIBS_proto  = $(MSGPACK_LIBS)
LIBS_keys   = $(SODIUM_LIBS)
LIBS_relay  = -lnng -llmdb -linih
LIBS_client = -lnng -llmdb -linih -ljansson -lcurl
LIBS_tests  = -lcmocka -ljansson

# ------------------------------------------------------------------- sources

SRC_proto  := $(wildcard proto/*.c proto/base/*.c)
SRC_keys   := $(wildcard keys/*.c)
SRC_relay  := $(wildcard relay/*.c)
SRC_client := $(wildcard client/*.c)
SRC_tests  := $(wildcard tests/*.c tests/support/*.c)

SRC_consil       := $(wildcard client/cli/*.c)
SRC_consil-relay := $(wildcard relay/daemon/*.c)
SRC_consil-admin := $(wildcard keys/admin/*.c)

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
lib = $(patsubst %,$(BUILD)/lib%.a,$(1))

# A program whose main is not written yet is not built.
PROGRAMS := $(foreach p,consil consil-relay consil-admin,\
              $(if $(filter %/main.c,$(SRC_$p)),$(BUILD)/$p))
UNIT     := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/*_test.c))
FUZZ     := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/*_fuzz.c))
# Helper programs of the other tests; each file has its own main.
HELPERS  := $(patsubst %.c,$(BUILD)/%,\
              $(wildcard tests/e2e/*.c tests/fault/*.c tests/soak/*.c tests/bench/*.c))
# Libraries that tests put before the system's by LD_PRELOAD.
SHIMS    := $(patsubst %.c,$(BUILD)/%.so,$(wildcard tests/*/shim/*.c))

.DEFAULT_GOAL := all
.PHONY: all deps demo check check-programs asan-corpora replay-corpora programs-under-test lint asan tsan \
        fuzz fuzz-programs soak bench format install clean help FORCE
.SECONDARY:
.DELETE_ON_ERROR:
Q = $(if $(V),,@)

all: $(PROGRAMS) $(call lib,proto keys relay client) ## Build the programs (the default)

# -------------------------------------------------------------------- compile

$(BUILD)/obj/%.o: %.c $(BUILD)/flags | $(BUILD)/deps-checked
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(if $(filter 1,$(WERROR)),-Werror) \
	    -MMD -MP -c -o $@ $<

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# Rewritten only when they change: a different compiler or option recompiles
# all, a source file that went away leaves its library.
$(BUILD)/flags: TEXT = $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS)
$(BUILD)/sources: TEXT = $(SRC_proto) $(SRC_keys) $(SRC_relay) $(SRC_client) $(SRC_tests)
$(BUILD)/flags $(BUILD)/sources: FORCE
	@mkdir -p $(@D)
	@echo '$(TEXT)' | cmp -s - $@ || echo '$(TEXT)' >$@

# One clear sentence instead of a page of missing headers.
$(BUILD)/deps-checked: deps.sh $(BUILD)/flags
	@mkdir -p $(@D)
	@DEPS_PREFIX='$(DEPS_PREFIX)' SODIUM_MIN='$(SODIUM_MIN)' ./deps.sh check
	@touch $@

# ----------------------------------------------------------------------- link

$(call lib,proto):  $(call obj,$(SRC_proto))
$(call lib,keys):   $(call obj,$(SRC_keys))
$(call lib,relay):  $(call obj,$(SRC_relay))
$(call lib,client): $(call obj,$(SRC_client))
$(call lib,tests):  $(call obj,$(SRC_tests))

$(BUILD)/lib%.a: $(BUILD)/sources
	@echo "  AR    $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

$(BUILD)/consil: $(call obj,$(SRC_consil)) $(call lib,client keys proto)
$(BUILD)/consil: LDLIBS = $(LIBS_client) $(LIBS_keys) $(LIBS_proto)

$(BUILD)/consil-relay: $(call obj,$(SRC_consil-relay)) $(call lib,relay keys proto)
$(BUILD)/consil-relay: LDLIBS = $(LIBS_relay) $(LIBS_keys) $(LIBS_proto)

$(BUILD)/consil-admin: $(call obj,$(SRC_consil-admin)) $(call lib,client keys proto)
$(BUILD)/consil-admin: LDLIBS = $(LIBS_client) $(LIBS_keys) $(LIBS_proto)

# Tests may use everything, and the helpers in tests/*.c and tests/support/.
UNDER_TEST = $(call lib,tests client relay keys proto)
$(UNIT) $(FUZZ) $(HELPERS): LDLIBS = $(LIBS_tests) $(LIBS_client) $(LIBS_relay) \
                                     $(LIBS_keys) $(LIBS_proto)
$(UNIT) $(HELPERS): $(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(UNDER_TEST)

# A fuzz target is libFuzzer's in `make fuzz`; everywhere else it only replays
# the files of tests/fuzz/corpus/.
ifdef LIBFUZZER
$(FUZZ): LDLIBS += -fsanitize=fuzzer
$(FUZZ): $(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(UNDER_TEST)
else
$(FUZZ): $(BUILD)/tests/%: $(BUILD)/obj/tests/%.o \
                           $(BUILD)/obj/tests/fuzz/replay_main.o $(UNDER_TEST)
endif

$(PROGRAMS) $(UNIT) $(FUZZ) $(HELPERS):
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LDLIBS)

# Not hardened and not sanitized: whatever program they are loaded into.
$(SHIMS): $(BUILD)/%.so: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) -std=c17 -O2 $(WARN) $(if $(filter 1,$(WERROR)),-Werror) \
	    $(ALL_CPPFLAGS) -fPIC -shared $(LDFLAGS) -o $@ $<

# ----------------------------------------------------------------------- test

programs-under-test: all $(UNIT) $(FUZZ) $(HELPERS) $(SHIMS)

# Installs what tests need first: a separate make, as for demo.
check: ## Unit tests, fuzz corpora, end-to-end tests, lint: what CI runs
	@$(MAKE) --no-print-directory deps TESTS=1
	@$(MAKE) --no-print-directory WERROR=$(WERROR) programs-under-test
	tests/run --build $(BUILD) unit fuzz e2e lint

check-programs: programs-under-test
	tests/run --build $(BUILD) $(or $(ONLY),unit fuzz e2e)

lint: all ## The rules of the tree that a program can check
	tests/run --build $(BUILD) lint

asan: ## Unit, corpus and end-to-end tests under ASan and UBSan; ONLY='unit e2e/main' some
	$(MAKE) BUILD=build/asan SANITIZE=address,undefined CFLAGS='-O1 -g' \
	    WERROR=1 check-programs

asan-corpora: ## The fuzz corpora alone under ASan and UBSan: every decoder
	$(MAKE) BUILD=build/asan SANITIZE=address,undefined CFLAGS='-O1 -g' \
	    WERROR=1 replay-corpora

replay-corpora: $(FUZZ)
	tests/run --build $(BUILD) fuzz

tsan: ## The same under TSan
	$(MAKE) BUILD=build/tsan SANITIZE=thread CFLAGS='-O1 -g' \
	    WERROR=1 check-programs

fuzz: ## Fuzz with clang: FUZZ_SECONDS=60 each, FUZZ_ONLY=stem
	$(MAKE) BUILD=build/fuzz CC=clang SANITIZE=fuzzer-no-link,address,undefined \
	    CFLAGS='-O1 -g' WERROR=1 LIBFUZZER=1 fuzz-programs
	tests/fuzz/run --build build/fuzz --seconds $(or $(FUZZ_SECONDS),60) $(FUZZ_ONLY)

fuzz-programs: $(FUZZ)

soak: all $(HELPERS) $(SHIMS) ## The other compiler, ASan, TSan, 2,000 seeds of the model, then hours of traffic, faults and restarts (tests/soak/run)
	$(MAKE) CC=clang BUILD=build/clang WERROR=1 all
	$(MAKE) asan
	$(MAKE) tsan
	BUILD='$(abspath $(BUILD))' MODEL_SEEDS=$(or $(MODEL_SEEDS),2000) tests/model/run
	BUILD='$(abspath $(BUILD))' tests/soak/run

bench: all $(HELPERS) $(SHIMS) ## Measure (tests/bench/run)
	BUILD='$(abspath $(BUILD))' tests/bench/run

# ------------------------------------------------------------------------ use

deps: ## Install what is missing; DEPS_DIR=dir takes fetched source packages, TESTS=1 adds what tests need
	DEPS_PREFIX='$(DEPS_PREFIX)' DEPS_DIR='$(DEPS_DIR)' SODIUM_MIN='$(SODIUM_MIN)' \
	    ./deps.sh install $(if $(TESTS),tests)

# Separate makes: what `deps` installs decides how the rest is built.
demo: ## A whole network on this machine, a case there and back; KEEP=1, DEMO_CASE=dir
	$(MAKE) deps
	$(MAKE) -j$(shell nproc) all
	BUILD='$(abspath $(BUILD))' KEEP='$(KEEP)' DEMO_CASE='$(DEMO_CASE)' tests/demo.sh

format: ## Lay out all C code with clang-format 14
	git ls-files -co --exclude-standard '*.c' '*.h' | xargs $(or $(shell command -v clang-format-14),clang-format) -i

# $(call put,MODE,FILES,DIRECTORY): install FILES, if there are any.
put = $(if $(strip $(2)),install -d '$(DESTDIR)$(PREFIX)/$(3)' && \
        install -m $(1) $(2) '$(DESTDIR)$(PREFIX)/$(3)')

install: all ## Install under DESTDIR and PREFIX
	$(call put,755,$(filter %/consil,$(PROGRAMS)),bin)
	$(call put,755,$(filter %/consil-relay %/consil-admin,$(PROGRAMS)),sbin)
	$(call put,644,$(wildcard docs/man/*.1),share/man/man1)
	$(call put,644,$(wildcard docs/man/*.5),share/man/man5)
	$(call put,644,$(wildcard docs/man/*.8),share/man/man8)
	$(call put,644,$(wildcard docs/completions/bash/*),share/bash-completion/completions)
	$(call put,644,$(wildcard docs/completions/zsh/*),share/zsh/site-functions)
	$(call put,644,$(wildcard docs/completions/fish/*),share/fish/vendor_completions.d)

clean: ## Remove what was built, but not build/deps
	@if [ -d build ]; then find build -mindepth 1 -maxdepth 1 ! -name deps -exec rm -rf {} +; fi

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
