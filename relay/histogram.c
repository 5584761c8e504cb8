#include "relay/histogram.h"

#define COUNT_OF(...) (sizeof((double[]){ __VA_ARGS__ }) / sizeof(double))

static const struct cs_histogram_info infos[CS_HISTOGRAMS] = {
#define CS_HISTOGRAM(NAME, name_, unit_, help_, ...)                           \
	[CS_HISTOGRAM_##NAME] = { .name = #name_,                              \
		.help = help_,                                                 \
		.unit = unit_,                                                 \
		.n = COUNT_OF(__VA_ARGS__),                                    \
		.bound = { __VA_ARGS__ } },
#include "relay/histogram.def"
#undef CS_HISTOGRAM
};

const struct cs_histogram_info *
cs_histogram_info(enum cs_histogram_kind kind)
{
	return &infos[kind];
}

void
cs_histogram_observe(struct cs_histogram *h, enum cs_histogram_kind kind,
    uint64_t value)
{
	const struct cs_histogram_info *info = &infos[kind];
	unsigned i = 0;

	while (i < info->n &&
	       (double)value > info->bound[i] * (double)info->unit)
		i++;
	h->bucket[i]++;
	h->sum += value;
}
