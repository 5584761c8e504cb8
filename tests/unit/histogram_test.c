#include "relay/histogram.h"

#include "tests/test.h"

TEST(bounds_ascend_and_fit)
{
	for (unsigned k = 0; k < CS_HISTOGRAMS; k++) {
		const struct cs_histogram_info *info = cs_histogram_info(k);

		CHECK(info->n > 0 && info->n <= CS_HISTOGRAM_BOUNDS);
		CHECK(info->name != NULL && info->help != NULL);
		for (unsigned i = 1; i < info->n; i++)
			CHECK(info->bound[i] > info->bound[i - 1]);
	}
}

TEST(a_value_is_counted_once_where_it_belongs)
{
	struct cs_histogram h = { 0 };

	/* half a millisecond is the first bound, and belongs to it */
	cs_histogram_observe(&h, CS_HISTOGRAM_CUSTODY, 500);
	CHECK_NUM(1, h.bucket[0]);
	cs_histogram_observe(&h, CS_HISTOGRAM_CUSTODY, 501);
	CHECK_NUM(1, h.bucket[1]);
	cs_histogram_observe(&h, CS_HISTOGRAM_CUSTODY, UINT64_C(3600000000));
	CHECK_NUM(1, h.bucket[cs_histogram_info(CS_HISTOGRAM_CUSTODY)->n]);
	CHECK_NUM(UINT64_C(3600001001), h.sum);
	CHECK_NUM(1, h.bucket[0]);
}
