#ifndef CS_PROTO_PAD_H
#define CS_PROTO_PAD_H

#include <stddef.h>
#include <stdint.h>

/*
 * Padmé (Nikitin et al., PETS 2019, section 4): the padded length of n bytes,
 * at least floor, leaking O(log log n) bits of the length; overhead <= 12 %.
 * Total for n <= 2^62.
 */
uint64_t cs_pad_len(uint64_t n, uint64_t floor);

#endif
