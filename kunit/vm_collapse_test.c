// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chains get shorter: what is seen through them stays the same, they do not grow with
 * forks that have ended, and the log's interleaving of two collapses, O, BO and BBO.
 */
#include <kunit/test.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/prandom.h>

#include "fail_nth.h"
#include "vm_test.h"

VM_TEST_STORE;

static u64 counted(atomic64_t *counter)
{
	return atomic64_read(counter);
}

static void collapse(struct vm_object *object)
{
	vm_object_lock(object);
	vm_object_collapse(object);
	vm_object_unlock(object);
}

/* OB-03: contents. */

#define TOP	16
#define OFFSET	5
#define BOTTOM	32

/*
 * Every case of a page that both may have: the top's is resident, paged out or missing,
 * the bottom's the same, and the bottom has pages that the top cannot show.
 */
static void ob_03_a_merge_shows_what_was_shown(struct kunit *test)
{
	u64 merged = counted(&vm_cnt.collapses);
	struct vm_object *top, *bottom = vm_test_object(test, BOTTOM);
	unsigned int i, kind;
	u8 before[TOP];

	for (i = 0; i < BOTTOM; i++) {
		kind = i >= OFFSET && i < OFFSET + TOP ? (i - OFFSET) / 3 % 3 :
							 i % 3;
		if (kind)
			vm_test_fill(test, bottom, i, 0x40 + i);
		if (kind == 2)
			vm_test_page_out(test, bottom, i);
	}
	vm_object_reference(bottom);
	top = vm_test_shadow(test, bottom, OFFSET, TOP);
	for (i = 0; i < TOP; i++) {
		if (i % 3)
			vm_test_fill(test, top, i, 0xc0 + i);
		if (i % 3 == 2)
			vm_test_page_out(test, top, i);
	}
	for (i = 0; i < TOP; i++)
		before[i] = vm_test_peek(top, i);

	vm_object_deallocate(bottom);
	KUNIT_EXPECT_EQ(test, counted(&vm_cnt.collapses), merged + 1);
	KUNIT_EXPECT_EQ(test, vm_test_objects(), 1);
	KUNIT_EXPECT_NULL(test, top->backing_object);
	KUNIT_EXPECT_EQ(test, vm_object_chain_length(top), 1);
	for (i = 0; i < TOP; i++)
		KUNIT_EXPECT_EQ_MSG(test, vm_test_peek(top, i), before[i],
				    "page %u", i);
	/* What came from below is dirty: the top's pager has it not. */
	for (i = 0; i < TOP; i++) {
		struct vm_page *m;

		vm_object_lock(top);
		m = vm_page_lookup(top, i);
		KUNIT_EXPECT_TRUE(test, !m || m->dirty == VM_PAGE_BITS_ALL);
		KUNIT_EXPECT_FALSE(test, m && vm_pager_has_page(top, i, NULL,
								NULL));
		vm_object_unlock(top);
	}
	vm_object_deallocate(top);
}

/* A merge in the middle of a chain: offsets add up, references move. */
static void ob_03_a_merge_joins_what_is_left(struct kunit *test)
{
	struct vm_object *bbo = vm_test_object(test, 32), *bo, *o;
	unsigned int i;

	for (i = 0; i < 32; i++)
		vm_test_fill(test, bbo, i, i + 1);
	vm_object_reference(bbo);
	bo = vm_test_shadow(test, bbo, 4, 16);
	vm_test_fill(test, bo, 5, 0x80);
	vm_object_reference(bo);
	o = vm_test_shadow(test, bo, 3, 8);
	vm_test_fill(test, o, 0, 0x90);
	vm_object_deallocate(bo);
	KUNIT_EXPECT_EQ(test, vm_test_objects(), 2);
	KUNIT_EXPECT_PTR_EQ(test, o->backing_object, bbo);
	KUNIT_EXPECT_EQ(test, o->backing_offset, 7 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, bbo->shadow_count, 1);
	KUNIT_EXPECT_PTR_EQ(test, list_first_entry(&bbo->shadow_head,
						   struct vm_object,
						   shadow_list), o);
	KUNIT_EXPECT_EQ(test, atomic_read(&bbo->ref_count), 2);
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, vm_test_peek(o, i),
				i == 0 ? 0x90 : i == 2 ? 0x80 : 8 + i);
	vm_object_deallocate(bbo);
	KUNIT_EXPECT_EQ(test, vm_object_chain_length(o), 1);
	vm_object_deallocate(o);
}

static void ob_03_bypass_where_all_is_hidden(struct kunit *test)
{
	u64 bypassed = counted(&vm_cnt.bypasses);
	struct vm_object *bbo = vm_test_object(test, 32), *bo, *o;
	unsigned int i;

	for (i = 0; i < 32; i++)
		vm_test_fill(test, bbo, i, i + 1);
	vm_object_reference(bbo);
	bo = vm_test_shadow(test, bbo, 4, 16);
	for (i = 0; i < 16; i += 2)
		vm_test_fill(test, bo, i, 0x80 + i);
	vm_test_page_out(test, bo, 6);
	vm_object_reference(bo);
	o = vm_test_shadow(test, bo, 2, 8);
	/* Hidden: 2, 4 and 8 of the bypassed one; in sight: what is paged out. */
	vm_test_fill(test, o, 0, 0xc0);
	vm_test_fill(test, o, 2, 0xc2);
	vm_test_page_out(test, o, 2);
	vm_test_fill(test, o, 6, 0xc6);
	collapse(o);
	KUNIT_EXPECT_EQ(test, counted(&vm_cnt.bypasses), bypassed);
	KUNIT_EXPECT_PTR_EQ(test, o->backing_object, bo);
	/* A page that is still empty hides nothing. */
	vm_object_lock(o);
	KUNIT_ASSERT_NOT_NULL(test, vm_page_alloc(o, 4, VM_ALLOC_NOBUSY));
	vm_object_unlock(o);
	collapse(o);
	KUNIT_EXPECT_PTR_EQ(test, o->backing_object, bo);
	vm_test_fill(test, o, 4, 0xc4);
	collapse(o);
	KUNIT_EXPECT_EQ(test, counted(&vm_cnt.bypasses), bypassed + 1);
	KUNIT_EXPECT_PTR_EQ(test, o->backing_object, bbo);
	KUNIT_EXPECT_EQ(test, o->backing_offset, 6 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, atomic_read(&bbo->ref_count), 3);
	KUNIT_EXPECT_EQ(test, bbo->shadow_count, 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&bo->ref_count), 1);
	KUNIT_EXPECT_EQ(test, bo->shadow_count, 0);
	for (i = 0; i < 8; i++) {
		KUNIT_EXPECT_EQ(test, vm_test_peek(o, i),
				i % 2 ? 7 + i : 0xc0 + i);
		KUNIT_EXPECT_EQ(test, vm_test_peek(bo, i),
				i % 2 ? 5 + i : 0x80 + i);
	}
	vm_object_deallocate(o);
	vm_object_deallocate(bo);
	vm_object_deallocate(bbo);
}

/* Who is bypassed may be left with another shadow, and nobody else. */
static void ob_03_a_bypassed_object_is_merged_with_who_is_left(struct kunit *test)
{
	struct vm_object *bo = vm_test_object(test, 8), *o, *p;
	unsigned int i;

	for (i = 0; i < 8; i++)
		vm_test_fill(test, bo, i, 0x10 + i);
	vm_object_reference(bo);
	o = vm_test_shadow(test, bo, 0, 8);
	p = vm_test_shadow(test, bo, 0, 8);
	for (i = 0; i < 8; i++)
		vm_test_fill(test, o, i, 0x20 + i);
	vm_test_fill(test, p, 3, 0x33);
	collapse(o);
	KUNIT_EXPECT_NULL(test, o->backing_object);
	KUNIT_EXPECT_NULL(test, p->backing_object);
	KUNIT_EXPECT_EQ(test, vm_test_objects(), 2);
	for (i = 0; i < 8; i++) {
		KUNIT_EXPECT_EQ(test, vm_test_peek(o, i), 0x20 + i);
		KUNIT_EXPECT_EQ(test, vm_test_peek(p, i),
				i == 3 ? 0x33 : 0x10 + i);
	}
	vm_object_deallocate(o);
	vm_object_deallocate(p);
}

/* What has a name, or is something else, stays what it is. */
static void ob_03_only_what_is_anonymous(struct kunit *test)
{
	static const enum vm_object_type types[] = {
		OBJT_VNODE, OBJT_DEVICE, OBJT_PHYS,
	};
	u64 merged = counted(&vm_cnt.collapses);
	struct vm_object *bottom, *top;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types) + 1; i++) {
		bottom = vm_object_allocate(i < ARRAY_SIZE(types) ? types[i] :
					    OBJT_DEFAULT, 8);
		KUNIT_ASSERT_NOT_NULL(test, bottom);
		if (i == ARRAY_SIZE(types))
			bottom->handle = test;
		vm_test_fill(test, bottom, 1, 0x44);
		vm_object_reference(bottom);
		top = vm_test_shadow(test, bottom, 0, 8);
		vm_object_deallocate(bottom);
		collapse(top);
		KUNIT_EXPECT_PTR_EQ(test, top->backing_object, bottom);
		KUNIT_EXPECT_EQ(test, vm_test_peek(top, 1), 0x44);
		vm_object_deallocate(top);
	}
	KUNIT_EXPECT_EQ(test, counted(&vm_cnt.collapses), merged);
	KUNIT_EXPECT_EQ(test, vm_test_objects(), 0);
}

/*
 * OB-03: families. A space here is what a map with one entry would be: an object, an
 * offset, whether it must be shadowed before the next write, and what the space
 * believes that it has.
 */

#define SPACES	10
#define PAGES	12
#define ROUNDS	3000

struct space {
	struct vm_object *object;
	bool needs_copy;
	unsigned int family;
	u8 bytes[PAGES];
	struct mutex lock;	/* all of it, where several threads are at it */
};

static void space_new(struct kunit *test, struct space *s, unsigned int family)
{
	s->object = vm_test_object(test, PAGES);
	s->family = family;
	s->needs_copy = false;
	memset(s->bytes, 0, PAGES);
}

static void space_write(struct kunit *test, struct space *s, unsigned int page,
			u8 byte)
{
	u64 offset = 0;

	if (s->needs_copy) {
		KUNIT_ASSERT_EQ(test, vm_object_shadow(&s->object, &offset,
						       vm_ptoa(PAGES)), 0);
		s->needs_copy = false;
	}
	vm_test_fill(test, s->object, page, byte);
	s->bytes[page] = byte;
	/* As a fault does that has copied a page up. */
	collapse(s->object);
}

static void space_fork(struct space *parent, struct space *child)
{
	child->object = parent->object;
	child->family = parent->family;
	memcpy(child->bytes, parent->bytes, PAGES);
	vm_object_lock(parent->object);
	vm_object_clear_flag(parent->object, OBJ_ONEMAPPING);
	vm_object_unlock(parent->object);
	vm_object_reference(parent->object);
	parent->needs_copy = true;
	child->needs_copy = true;
}

static void space_exit(struct space *s)
{
	vm_object_deallocate(s->object);
	s->object = NULL;
}

static void expect_space(struct kunit *test, struct space *spaces,
			 struct space *s)
{
	unsigned int i, relatives = 0, page;

	for (i = 0; i < SPACES; i++)
		relatives += spaces[i].object && &spaces[i] != s &&
			     spaces[i].family == s->family;
	KUNIT_ASSERT_LE(test, vm_object_chain_length(s->object), relatives + 2);
	for (page = 0; page < PAGES; page++)
		KUNIT_ASSERT_EQ_MSG(test, vm_test_peek(s->object, page),
				    s->bytes[page], "page %u", page);
}

/* A page of some object of the chain goes to the pager. */
static void page_something_out(struct space *s, u32 random)
{
	struct vm_object *object = s->object, *below;
	struct vm_page *m;
	u8 byte;

	vm_object_lock(object);
	while (random & 1) {
		below = vm_object_step_down(object);
		if (!below)
			break;
		object = below;
		random >>= 1;
	}
	m = vm_page_lookup(object, (random >> 4) % PAGES);
	if (m && !(object->flags & OBJ_DEAD) && !vm_page_is_busy(m)) {
		byte = *(u8 *)vm_page_kva(m);
		vm_test_store_make(object);
		vm_test_remember(object, m->pindex, xa_mk_value(byte));
		vm_page_undirty(m);
		vm_page_free(m);
	}
	vm_object_unlock(object);
}

static void ob_03_a_chain_is_no_longer_than_the_family(struct kunit *test)
{
	struct space *spaces = kunit_kcalloc(test, SPACES, sizeof(*spaces),
					     GFP_KERNEL);
	u64 merged = counted(&vm_cnt.collapses);
	u64 bypassed = counted(&vm_cnt.bypasses);
	unsigned int round, families = 0;
	struct rnd_state rnd;

	KUNIT_ASSERT_NOT_NULL(test, spaces);
	prandom_seed_state(&rnd, 3);
	for (round = 0; round < ROUNDS; round++) {
		u32 r = prandom_u32_state(&rnd);
		struct space *s = &spaces[r % SPACES];
		struct space *other = &spaces[(r >> 8) % SPACES];
		unsigned int page = (r >> 16) % PAGES, i;

		if (!s->object && other->object && r >> 28)
			space_fork(other, s);
		else if (!s->object)
			space_new(test, s, ++families);
		switch ((r >> 24) % 8) {
		case 0:
		case 1:
			space_exit(s);
			continue;
		case 2:
			/* All of it: what lies below is hidden now. */
			for (i = 0; i < PAGES; i++)
				space_write(test, s, i, r + i);
			break;
		case 3:
		case 4:
			page_something_out(s, prandom_u32_state(&rnd));
			break;
		default:
			space_write(test, s, page, r >> 20);
		}
		expect_space(test, spaces, s);
		if (other->object)
			expect_space(test, spaces, other);
		cond_resched();
	}
	for (round = 0; round < SPACES; round++)
		if (spaces[round].object)
			space_exit(&spaces[round]);
	KUNIT_EXPECT_EQ(test, vm_test_objects(), 0);
	kunit_info(test, "%llu merges, %llu bypasses\n",
		   counted(&vm_cnt.collapses) - merged,
		   counted(&vm_cnt.bypasses) - bypassed);
	KUNIT_EXPECT_GT(test, counted(&vm_cnt.collapses), merged + 100);
	KUNIT_EXPECT_GT(test, counted(&vm_cnt.bypasses), bypassed + 100);
}

/* Fork and exit with a write between, for ever: the parent that stays pays nothing. */
static void ob_03_fork_and_exit_for_ever(struct kunit *test)
{
	struct space parent = {}, child = {};
	unsigned int i;

	space_new(test, &parent, 1);
	for (i = 0; i < PAGES; i++)
		space_write(test, &parent, i, i + 1);
	for (i = 0; i < 600; i++) {
		space_fork(&parent, &child);
		space_write(test, &parent, i % PAGES, i);
		if (i & 1)
			space_write(test, &child, (i + 3) % PAGES, ~i);
		KUNIT_ASSERT_LE(test, vm_object_chain_length(parent.object), 3);
		if (i & 2) {
			space_exit(&child);
		} else {
			/* The child lives on, and is the next one's parent. */
			space_exit(&parent);
			parent.object = child.object;
			parent.needs_copy = child.needs_copy;
			memcpy(parent.bytes, child.bytes, PAGES);
		}
		KUNIT_ASSERT_LE(test, vm_object_chain_length(parent.object), 2);
		KUNIT_ASSERT_LE(test, vm_test_objects(), 2);
	}
	for (i = 0; i < PAGES; i++)
		KUNIT_EXPECT_EQ(test, vm_test_peek(parent.object, i),
				parent.bytes[i]);
	space_exit(&parent);
}

/*
 * The same with threads, each of which works on all spaces. A page of some object is
 * busy now and then, so that collapses sleep, and others come by.
 */

#define THREADS		4
#define THREAD_ROUNDS	300

struct crowd {
	struct kunit *test;
	struct space spaces[SPACES];
	atomic_t seed;
	atomic_t wrong;
};

static void expect_bytes(struct crowd *c, struct space *s)
{
	unsigned int page;

	for (page = 0; page < PAGES; page++)
		if (vm_test_peek(s->object, page) != s->bytes[page])
			atomic_inc(&c->wrong);
}

/* Have a page of some object of the chain busy for a moment. */
static void keep_busy(struct space *s, u32 random)
{
	struct vm_object *object = s->object, *below;
	struct vm_page *m;

	vm_object_lock(object);
	while (random & 3) {
		below = vm_object_step_down(object);
		if (!below)
			break;
		object = below;
		random >>= 2;
	}
	m = vm_page_lookup(object, random % PAGES);
	if (!m || vm_page_is_busy(m) || object->flags & OBJ_DEAD) {
		vm_object_unlock(object);
		return;
	}
	/* As long as it is, nobody can be done with the object. */
	vm_page_busy(m);
	vm_object_unlock(object);
	schedule_timeout_idle(1);
	vm_object_lock(object);
	vm_page_wakeup(m);
	vm_object_unlock(object);
}

static void crowd_step(struct crowd *c, struct rnd_state *rnd)
{
	u32 r = prandom_u32_state(rnd), page = (r >> 16) % PAGES, i;
	struct space *s = &c->spaces[r % SPACES];
	struct space *other = &c->spaces[(r >> 8) % SPACES];

	if (s == other)
		return;
	mutex_lock_nested(&min(s, other)->lock, 0);
	mutex_lock_nested(&max(s, other)->lock, 1);
	if (!s->object && other->object) {
		space_fork(other, s);
	} else if (!s->object) {
		space_new(c->test, s, 0);
	} else {
		mutex_unlock(&other->lock);
		switch ((r >> 24) % 8) {
		case 0:
			space_exit(s);
			break;
		case 1:
			for (i = 0; i < PAGES; i++)
				space_write(c->test, s, i, r + i);
			break;
		case 2:
			page_something_out(s, prandom_u32_state(rnd));
			break;
		case 3:
		case 4:
			keep_busy(s, prandom_u32_state(rnd));
			break;
		default:
			space_write(c->test, s, page, r >> 20);
		}
		if (s->object)
			expect_bytes(c, s);
		mutex_unlock(&s->lock);
		return;
	}
	mutex_unlock(&s->lock);
	mutex_unlock(&other->lock);
}

static void crowd_member(void *arg)
{
	struct crowd *c = arg;
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, atomic_inc_return(&c->seed));
	for (i = 0; i < THREAD_ROUNDS; i++) {
		crowd_step(c, &rnd);
		cond_resched();
	}
}

static void ob_03_families_of_several_threads(struct kunit *test)
{
	struct crowd *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	u64 merged = counted(&vm_cnt.collapses);
	u64 waits = counted(&vm_cnt.collapse_waits);
	struct vm_test_thread t[THREADS];
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->test = test;
	for (i = 0; i < SPACES; i++)
		mutex_init(&c->spaces[i].lock);
	for (i = 0; i < THREADS; i++)
		vm_test_start(test, &t[i], crowd_member, c);
	for (i = 0; i < THREADS; i++)
		wait_for_completion(&t[i].done);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->wrong), 0);
	for (i = 0; i < SPACES; i++)
		if (c->spaces[i].object)
			space_exit(&c->spaces[i]);
	KUNIT_EXPECT_EQ(test, vm_test_objects(), 0);
	KUNIT_EXPECT_GT(test, counted(&vm_cnt.collapses), merged + 10);
	kunit_info(test, "%llu merges, %llu sleeps in them\n",
		   counted(&vm_cnt.collapses) - merged,
		   counted(&vm_cnt.collapse_waits) - waits);
}

/*
 * Each allocation in turn fails, of those that a shadow, a write, a merge and a split
 * need. The pages lie so far apart that each needs a part of an index to itself.
 */

#define APART		70
#define FAR_PAGES	6
#define FAR_SIZE	(FAR_PAGES * APART)

static void far_family(struct kunit *test, unsigned int n, unsigned int *left)
{
	struct vm_object *bottom = vm_test_object(test, FAR_SIZE), *top, *part;
	u64 offset = 0, at = FAR_SIZE / 2 * PAGE_SIZE;
	unsigned int i;
	int error;

	for (i = 0; i < FAR_PAGES; i++)
		vm_test_fill(test, bottom, i * APART, 0x10 + i);
	vm_test_page_out(test, bottom, 2 * APART);
	vm_test_page_out(test, bottom, 5 * APART);
	vm_object_reference(bottom);
	top = bottom;

	fail_nth_set(n);
	error = vm_object_shadow(&top, &offset, FAR_SIZE * PAGE_SIZE);
	if (error)
		error = vm_object_shadow(&top, &offset, FAR_SIZE * PAGE_SIZE);
	vm_test_fill(test, top, APART, 0x99);
	vm_object_deallocate(bottom);
	/* Two entries show it now, one each half. */
	vm_object_reference(top);
	part = top;
	if (vm_object_split(&part, &at, FAR_SIZE / 2 * PAGE_SIZE))
		error |= vm_object_split(&part, &at, FAR_SIZE / 2 * PAGE_SIZE);
	*left = fail_nth_left();
	fail_nth_set(0);

	KUNIT_EXPECT_EQ(test, error, 0);
	KUNIT_ASSERT_PTR_NE(test, part, top);
	KUNIT_EXPECT_NULL(test, top->backing_object);
	for (i = 0; i < FAR_PAGES; i++) {
		bool upper = i * APART >= FAR_SIZE / 2;

		KUNIT_EXPECT_EQ_MSG(test,
				    vm_test_peek(upper ? part : top, i * APART -
						 (upper ? FAR_SIZE / 2 : 0)),
				    i == 1 ? 0x99 : 0x10 + i,
				    "page %u, failure %u", i, n);
	}
	vm_object_deallocate(part);
	vm_object_deallocate(top);
	KUNIT_EXPECT_EQ(test, vm_test_objects(), 0);
}

static void ob_03_every_failure_is_survived(struct kunit *test)
{
	unsigned int n, left;

	/* Once without. */
	far_family(test, 0, &left);
	if (!fail_nth_prepare())
		kunit_skip(test, "needs fault injection");
	for (n = 1, left = 0; !left && n < 200; n++)
		far_family(test, n, &left);
	KUNIT_EXPECT_GT(test, n, 10);
	KUNIT_EXPECT_LT(test, n, 200);
}

/*
 * OB-04. O shadows BO, which shadows BBO, which has one user more. O and BO are being
 * merged, and that sleeps; BBO's other user goes; a second collapse, of BO and BBO,
 * would need a reference to BO for as long as it takes, and it sleeps, too; the first
 * wakes and finds BO referenced.
 */

struct log {
	struct vm_object *o;
	struct vm_object *bo;
	struct vm_object *bbo;
	struct vm_page *bo_page;
	struct vm_page *bbo_page;
};

#define LOG_PAGES	8

static struct log make_log(struct kunit *test)
{
	struct log log;

	/* Pages 0 to 2 are O's, 2 to 5 BO's, 4 to 7 BBO's; the topmost counts. */
	log.bbo = vm_test_object(test, LOG_PAGES);
	vm_test_fill(test, log.bbo, 4, 0xc4);
	vm_test_fill(test, log.bbo, 5, 0xc5);
	log.bbo_page = vm_test_fill(test, log.bbo, 6, 0xc6);
	vm_test_fill(test, log.bbo, 7, 0xc7);
	vm_object_reference(log.bbo);
	log.bo = vm_test_shadow(test, log.bbo, 0, LOG_PAGES);
	vm_test_fill(test, log.bo, 2, 0xb2);
	vm_test_fill(test, log.bo, 3, 0xb3);
	log.bo_page = vm_test_fill(test, log.bo, 4, 0xb4);
	vm_test_fill(test, log.bo, 5, 0xb5);
	vm_object_reference(log.bo);
	log.o = vm_test_shadow(test, log.bo, 0, LOG_PAGES);
	vm_test_fill(test, log.o, 0, 0xa0);
	vm_test_fill(test, log.o, 1, 0xa1);
	vm_test_fill(test, log.o, 2, 0xa2);
	return log;
}

static void expect_log_collapsed(struct kunit *test, struct log *log)
{
	static const u8 bytes[LOG_PAGES] = {
		0xa0, 0xa1, 0xa2, 0xb3, 0xb4, 0xb5, 0xc6, 0xc7,
	};
	unsigned int i;

	KUNIT_EXPECT_NULL(test, log->o->backing_object);
	KUNIT_EXPECT_EQ(test, log->o->resident, LOG_PAGES);
	KUNIT_EXPECT_EQ(test, log->o->paging_in_progress, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&log->o->ref_count), 1);
	KUNIT_EXPECT_EQ_MSG(test, vm_test_objects(), 1, "BO or BBO is left");
	for (i = 0; i < LOG_PAGES; i++)
		KUNIT_EXPECT_EQ_MSG(test, vm_test_peek(log->o, i), bytes[i],
				    "page %u", i);
}

static void set_busy(struct vm_page *m, bool busy)
{
	struct vm_object *object = m->object;

	vm_object_lock(object);
	if (busy)
		vm_page_busy(m);
	else
		vm_page_wakeup(m);
	vm_object_unlock(object);
}

static void deallocate(void *object)
{
	vm_object_deallocate(object);
}

/*
 * The first collapse sleeps, BO is dead and nobody has it locked. Release BBO, and see
 * that this is over at once and did nothing to BO.
 */
static void release_bbo(struct kunit *test, struct log *log,
			struct vm_test_thread *release)
{
	vm_object_lock(log->bo);
	KUNIT_EXPECT_TRUE(test, log->bo->flags & OBJ_DEAD);
	KUNIT_EXPECT_NE(test, log->bo->type, OBJT_DEAD);
	KUNIT_EXPECT_EQ(test, atomic_read(&log->bo->ref_count), 1);
	vm_object_unlock(log->bo);
	/* The second collapse, if it comes to that, has something to sleep for. */
	set_busy(log->bbo_page, true);

	vm_test_start(test, release, deallocate, log->bbo);
	KUNIT_EXPECT_FALSE_MSG(test, vm_test_sleeps(release),
			       "releasing BBO waits for the collapse of O and BO");
	KUNIT_EXPECT_EQ_MSG(test, atomic_read(&log->bo->ref_count), 1,
			    "releasing BBO took a reference to BO");
	KUNIT_EXPECT_EQ(test, atomic_read(&log->bbo->ref_count), 1);
	KUNIT_EXPECT_FALSE_MSG(test, READ_ONCE(log->bbo->flags) & OBJ_DEAD,
			       "BO and BBO are being collapsed");
}

static void ob_04_bbo_goes_while_a_busy_page_is_waited_for(struct kunit *test)
{
	u64 merged = counted(&vm_cnt.collapses);
	u64 waits = counted(&vm_cnt.collapse_waits);
	struct vm_test_thread first, release;
	struct log log = make_log(test);

	set_busy(log.bo_page, true);
	/* BO's other user goes: O and BO are to be one. */
	vm_test_start(test, &first, deallocate, log.bo);
	KUNIT_ASSERT_TRUE(test, vm_test_counted(&vm_cnt.collapse_waits, waits));
	release_bbo(test, &log, &release);

	waits = counted(&vm_cnt.collapse_waits);
	set_busy(log.bo_page, false);
	/* One step on: O and BO are one, and O and BBO wait for BBO's page. */
	KUNIT_EXPECT_TRUE(test, vm_test_counted(&vm_cnt.collapse_waits, waits));
	KUNIT_EXPECT_EQ(test, counted(&vm_cnt.collapses), merged + 1);
	set_busy(log.bbo_page, false);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&first));
	KUNIT_EXPECT_EQ(test, counted(&vm_cnt.collapses), merged + 2);
	expect_log_collapsed(test, &log);
	vm_object_deallocate(log.o);
}

static void ob_04_bbo_goes_while_the_pager_sleeps(struct kunit *test)
{
	u64 merged = counted(&vm_cnt.collapses);
	struct vm_test_thread first, release;
	struct log log = make_log(test);
	struct vm_test_gate gate;

	init_completion(&gate.reached);
	init_completion(&gate.open);
	vm_test_page_out(test, log.bo, 4);
	vm_test_gate = &gate;
	vm_test_start(test, &first, deallocate, log.bo);
	KUNIT_ASSERT_TRUE(test, wait_for_completion_timeout(&gate.reached,
							    VM_TEST_SOON));
	release_bbo(test, &log, &release);
	set_busy(log.bbo_page, false);
	complete(&gate.open);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&first));
	KUNIT_EXPECT_EQ(test, counted(&vm_cnt.collapses), merged + 2);
	vm_object_lock(log.o);
	KUNIT_EXPECT_TRUE(test, vm_pager_has_page(log.o, 4, NULL, NULL));
	log.o->resident += vm_pager_has_page(log.o, 4, NULL, NULL);
	vm_object_unlock(log.o);
	expect_log_collapsed(test, &log);
	log.o->resident--;
	vm_object_deallocate(log.o);
}

/* The chain goes while it is being made shorter: O's last user, right behind. */
static void ob_04_o_goes_right_behind(struct kunit *test)
{
	u64 waits = counted(&vm_cnt.collapse_waits);
	struct vm_test_thread first, release, last;
	struct log log = make_log(test);

	set_busy(log.bo_page, true);
	vm_test_start(test, &first, deallocate, log.bo);
	KUNIT_ASSERT_TRUE(test, vm_test_counted(&vm_cnt.collapse_waits, waits));
	release_bbo(test, &log, &release);
	vm_test_start(test, &last, deallocate, log.o);
	/* The collapse has O, too, until it is through. */
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&last));
	set_busy(log.bo_page, false);
	set_busy(log.bbo_page, false);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&first));
	KUNIT_EXPECT_EQ(test, vm_test_objects(), 0);
}

/* Who goes down the chain meets a dead object, lets go and waits until it has gone. */
static void wait_dead(void *arg)
{
	struct vm_object *object = arg;

	vm_object_lock(object);
	object = vm_object_step_down(object);
	if (object->flags & OBJ_DEAD)
		vm_object_wait_dead(object);
	else
		vm_object_unlock(object);
}

static void ob_08_a_merged_object_is_waited_for(struct kunit *test)
{
	u64 waits = counted(&vm_cnt.collapse_waits);
	u64 wakeups = counted(&vm_cnt.dead_wakeups);
	struct vm_test_thread first, waiter;
	struct log log = make_log(test);

	set_busy(log.bo_page, true);
	vm_test_start(test, &first, deallocate, log.bo);
	KUNIT_ASSERT_TRUE(test, vm_test_counted(&vm_cnt.collapse_waits, waits));
	vm_test_start(test, &waiter, wait_dead, log.o);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&waiter));
	set_busy(log.bo_page, false);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&first));
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&waiter));
	KUNIT_EXPECT_EQ(test, counted(&vm_cnt.dead_wakeups), wakeups + 1);
	KUNIT_EXPECT_PTR_EQ(test, log.o->backing_object, log.bbo);
	vm_object_deallocate(log.bbo);
	KUNIT_EXPECT_NULL(test, log.o->backing_object);
	vm_object_deallocate(log.o);
}

/* OB-05. */
static void ob_05_wired_and_held_pages_move(struct kunit *test)
{
	struct vm_object *bottom = vm_test_object(test, 8), *top;
	u64 waits = counted(&vm_cnt.collapse_waits);
	struct vm_page *wired, *held, *hidden;

	wired = vm_test_fill(test, bottom, 1, 0x11);
	held = vm_test_fill(test, bottom, 2, 0x22);
	hidden = vm_test_fill(test, bottom, 3, 0x33);
	vm_page_lock_queues();
	vm_page_wire(wired);
	vm_page_hold(held);
	vm_page_wire(hidden);
	vm_page_unlock_queues();
	vm_object_reference(bottom);
	top = vm_test_shadow(test, bottom, 1, 4);
	vm_test_fill(test, top, 2, 0x44);
	vm_object_deallocate(bottom);

	KUNIT_EXPECT_EQ(test, counted(&vm_cnt.collapse_waits), waits);
	KUNIT_EXPECT_NULL(test, top->backing_object);
	vm_object_lock(top);
	KUNIT_EXPECT_PTR_EQ(test, vm_page_lookup(top, 0), wired);
	KUNIT_EXPECT_PTR_EQ(test, vm_page_lookup(top, 1), held);
	vm_object_unlock(top);
	KUNIT_EXPECT_EQ(test, wired->wire_count, 1);
	KUNIT_EXPECT_EQ(test, held->hold_count, 1);
	/* What nobody can see any more stays with who wired it. */
	KUNIT_EXPECT_NULL(test, hidden->object);
	KUNIT_EXPECT_EQ(test, *(u8 *)vm_page_kva(hidden), 0x33);
	vm_page_lock_queues();
	vm_page_unwire(wired, true);
	vm_page_unhold(held);
	vm_page_unwire(hidden, true);
	vm_page_unlock_queues();
	vm_object_deallocate(top);
}

/* A busy page of either is waited for, and one that is being written. */
static void ob_05_busy_pages_are_waited_for(struct kunit *test)
{
	unsigned int kind;

	for (kind = 0; kind < 4; kind++) {
		struct vm_object *bottom = vm_test_object(test, 4), *top;
		u64 waits = counted(&vm_cnt.collapse_waits);
		struct vm_page *m = vm_test_fill(test, bottom, 1, 0x11);
		struct vm_test_thread t;

		vm_object_reference(bottom);
		top = vm_test_shadow(test, bottom, 0, 4);
		/* What is below may be with the pager. */
		if (kind == 3)
			vm_test_page_out(test, bottom, 1);
		if (kind & 1) {
			/* Somebody's fault, who goes on looking below. */
			vm_object_lock(top);
			m = vm_page_alloc(top, 1, VM_ALLOC_NORMAL);
			vm_object_unlock(top);
			KUNIT_ASSERT_NOT_NULL(test, m);
		} else if (kind == 2) {
			vm_object_lock(bottom);
			vm_page_io_start(m);
			vm_object_unlock(bottom);
		} else {
			set_busy(m, true);
		}
		vm_test_start(test, &t, deallocate, bottom);
		KUNIT_EXPECT_TRUE(test, vm_test_counted(&vm_cnt.collapse_waits,
							waits));
		KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&t));
		vm_object_lock(m->object);
		if (kind & 1)
			vm_page_free(m);
		else if (kind == 2)
			vm_page_io_finish(m);
		else
			vm_page_wakeup(m);
		vm_object_unlock(kind & 1 ? top : bottom);
		KUNIT_EXPECT_TRUE(test, vm_test_finished(&t));
		KUNIT_EXPECT_NULL(test, top->backing_object);
		KUNIT_EXPECT_EQ(test, vm_test_peek(top, 1), 0x11);
		vm_object_deallocate(top);
	}
}

/* Paging in either is waited for before a reference's end makes one of two. */
static void ob_01_a_collapse_waits_for_paging(struct kunit *test)
{
	unsigned int lower;

	for (lower = 0; lower < 2; lower++) {
		struct vm_object *bottom = vm_test_object(test, 4), *top;
		u64 merged = counted(&vm_cnt.collapses);
		struct vm_object *pages;
		struct vm_test_thread t;

		vm_object_reference(bottom);
		top = vm_test_shadow(test, bottom, 0, 4);
		pages = lower ? bottom : top;
		vm_object_lock(pages);
		vm_object_pip_add(pages, 1);
		vm_object_unlock(pages);
		vm_test_start(test, &t, deallocate, bottom);
		KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&t));
		KUNIT_EXPECT_PTR_EQ(test, top->backing_object, bottom);
		vm_object_lock(pages);
		vm_object_pip_wakeup(pages, 1);
		vm_object_unlock(pages);
		KUNIT_EXPECT_TRUE(test, vm_test_finished(&t));
		KUNIT_EXPECT_EQ(test, counted(&vm_cnt.collapses), merged + 1);
		vm_object_deallocate(top);
	}
}

static struct kunit_case collapse_cases[] = {
	KUNIT_CASE(ob_01_a_collapse_waits_for_paging),
	KUNIT_CASE(ob_03_a_merge_shows_what_was_shown),
	KUNIT_CASE(ob_03_a_merge_joins_what_is_left),
	KUNIT_CASE(ob_03_bypass_where_all_is_hidden),
	KUNIT_CASE(ob_03_a_bypassed_object_is_merged_with_who_is_left),
	KUNIT_CASE(ob_03_only_what_is_anonymous),
	KUNIT_CASE(ob_03_a_chain_is_no_longer_than_the_family),
	KUNIT_CASE(ob_03_every_failure_is_survived),
	KUNIT_CASE(ob_03_fork_and_exit_for_ever),
	KUNIT_CASE(ob_03_families_of_several_threads),
	KUNIT_CASE(ob_04_bbo_goes_while_a_busy_page_is_waited_for),
	KUNIT_CASE(ob_04_bbo_goes_while_the_pager_sleeps),
	KUNIT_CASE(ob_04_o_goes_right_behind),
	KUNIT_CASE(ob_05_wired_and_held_pages_move),
	KUNIT_CASE(ob_05_busy_pages_are_waited_for),
	KUNIT_CASE(ob_08_a_merged_object_is_waited_for),
	{}
};

static struct kunit_suite collapse_suite = {
	.name = "vm_collapse",
	.init = vm_test_init,
	.exit = vm_test_exit,
	.test_cases = collapse_cases,
};

kunit_test_suite(collapse_suite);

MODULE_DESCRIPTION("KUnit: chains of objects that get shorter");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
