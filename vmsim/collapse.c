// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chains of objects get shorter again.
 *
 * Each fork, or other copy, puts a new object in front of what both sides had. When
 * one side has gone, the object that both shared has a single user left: the other
 * side's shadow. From then on the two are one, told apart by nothing, and each
 * look-up pays for both. There are two cures:
 *
 *	merge	 O -> BO -> BBO	  O is the only one to use BO: what BO has and O
 *				  hides goes, the rest moves up into O, and so does what
 *				  BO's pager has. BO goes, O shadows BBO.
 *	bypass	 O -> BO -> BBO	  others use BO, too, but O hides all of it: O
 *	     P ---^		  shadows BBO itself, and BO has a user less.
 *
 * They are tried where a chain may have become mergeable: where an object loses the
 * last reference but its shadow's (vm_object_deallocate()), and before another object
 * comes in front of it, in a fork.
 *
 * A merge may have to sleep, for a busy page or in the pager, and must let go of
 * the locks for that. BO is half empty then. It is marked dead before the first
 * page moves: nobody looks for pages in it, adds to it, or starts another
 * collapse with it. The one that has to know is whoever releases BBO (OB-04). BBO may
 * then be left with a single shadow, BO, and the usual thing would be to merge those
 * two, with a reference to BO for as long as that takes; the first merge would wake,
 * find BO referenced by somebody else than O, and could not free it. So a dead
 * shadow is left alone. Nothing is lost: once O and BO are one, the same
 * collapse goes on with O and BBO.
 *
 * While O takes, it counts as paging: it is neither ended nor the lower part of
 * anybody else's collapse. References by whoever waits do no harm since a merge
 * begins only with the one reference that O has, and from then on only O leads to BO,
 * by way of O's lock.
 *
 * A page of either object may be busy. One of BO's cannot be moved; one of O's, which
 * may be without contents as yet and has its owner look for them further down, cannot
 * be told to hide anything. Both are waited for. Wirings and holds are no obstacle: they
 * are the page's, and move with it (OB-05).
 *
 * No more than two objects are locked at once: that O appears on BBO's shadow list
 * instead of BO is a matter of the lists' own lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": vm: " fmt

#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/xarray.h>

#include "uma/compat.h"
#include "uma/uma.h"
#include "vmsim/collapse.h"
#include "vmsim/object.h"
#include "vmsim/object_int.h"
#include "vmsim/page.h"
#include "vmsim/pager.h"
#include "vmsim/pmap.h"
#include "vmsim/sleepq.h"
#include "vmsim/trace.h"
#include "vmsim/vm.h"

/* References that are to be let go of, by who comes by. */
static DEFINE_SPINLOCK(release_lock);
static LIST_HEAD(release_list);

/* Is there anything that forbids a collapse of these two? Both are locked. */
static bool may_collapse(const struct vm_object *object,
			 const struct vm_object *backing)
{
	return vm_object_is_anonymous(object) &&
	       vm_object_is_anonymous(backing) &&
	       !(backing->flags & OBJ_DEAD) &&
	       !object->paging_in_progress && !backing->paging_in_progress;
}

/* Bypass. */

/* Whether @object has contents of its own at an index; it is locked. */
static bool has_page(struct vm_object *object, u64 pindex)
{
	struct vm_page *m = vm_page_lookup(object, pindex);

	if (m && m->valid && !m->busy)
		return true;
	return vm_pager_has_page(object, pindex, NULL, NULL);
}

/* Whether nothing of @backing can be seen through @object; both are locked. */
static bool hides_all(struct vm_object *object, struct vm_object *backing)
{
	u64 offset = vm_atop(object->backing_offset);
	u64 end = offset + object->size, pindex;
	unsigned long index;
	struct vm_page *m;

	if (!object->size)
		return true;
	/* Behind its end there is nothing of it, and nothing of what is below. */
	if (end > backing->size)
		return false;
	/*
	 * Who has less than there is to hide cannot hide all. Without this each write of
	 * many would look at all that were before it.
	 */
	if (!offset && end == backing->size &&
	    object->resident + object->pager_count <
	    max(backing->resident, backing->pager_count))
		return false;
	/* What lies below it would be seen where it has nothing. */
	xa_for_each_range(&backing->pages, index, m, offset, end - 1) {
		if (!has_page(object, index - offset))
			return false;
		cond_resched();
	}
	if (backing->type == OBJT_DEFAULT)
		return true;
	if (!backing->ops || !backing->ops->next)
		return false;
	for (pindex = offset; backing->ops->next(backing, &pindex, end - 1);
	     pindex++) {
		if (!has_page(object, pindex - offset))
			return false;
		cond_resched();
	}
	return true;
}

/*
 * Let go of a reference to an object, but not now, nor here in the middle of a collapse:
 * that may start another one. If there is one to be let go of later already, then
 * this one is not the last, and whoever lets go of that one sees to the rest.
 */
static void release_later(struct vm_object *object)
{
	bool pending;

	spin_lock(&release_lock);
	pending = !list_empty(&object->release_link);
	if (pending)
		atomic_dec(&object->ref_count);
	else
		list_add_tail(&object->release_link, &release_list);
	spin_unlock(&release_lock);
}

/* Let @object shadow what @backing shadows. Both are locked, on return only @object. */
static void bypass(struct vm_object *object, struct vm_object *backing)
{
	struct vm_object *below = backing->backing_object;

	/* A reference of its own, first: @backing's is good while it is locked. */
	if (below)
		vm_object_reference(below);
	vm_object_unlink_shadow(object);
	if (below) {
		object->backing_offset += backing->backing_offset;
		vm_object_link_shadow(object, below);
	} else {
		object->backing_offset = 0;
	}
	vm_count(bypasses);
	trace_vm_bypass(object, backing, below, object->resident);
	vm_object_unlock(backing);
	release_later(backing);
}

/* Merge. */

/*
 * Sleep until page @m of one of the two is idle, or for a moment if it is NULL;
 * both are locked again on return. Everything may have changed but that @backing is
 * dead and @object's.
 */
static void sleep_in_merge(struct vm_object *object, struct vm_object *backing,
			   struct vm_page *m)
{
	vm_count(collapse_waits);
	if (!m) {
		vm_object_unlock(backing);
		vm_object_unlock(object);
		schedule_timeout_idle(1);
	} else if (m->object == backing) {
		m->wanted = 1;
		vm_object_unlock(object);
		vm_sleep(m, &backing->lock, MAX_SCHEDULE_TIMEOUT);
	} else {
		m->wanted = 1;
		vm_object_unlock(backing);
		vm_sleep(m, &object->lock, MAX_SCHEDULE_TIMEOUT);
	}
	vm_object_lock(object);
	vm_object_lock_backing(backing);
}

/* A page of @backing that @object has no use for. */
static void drop_page(struct vm_page *m)
{
	pmap_remove_all(m);
	vm_page_free(m);
}

/* Move one page up, or drop it. Returns whether the locks were dropped for it. */
static bool merge_page(struct vm_object *object, struct vm_object *backing,
		       struct vm_page *m)
{
	u64 offset = vm_atop(object->backing_offset), pindex = m->pindex;
	struct vm_page *own;

	if (vm_page_is_busy(m)) {
		sleep_in_merge(object, backing, m);
		return true;
	}
	if (m->pindex < offset || m->pindex - offset >= object->size ||
	    !m->valid) {
		drop_page(m);
		return false;
	}
	own = vm_page_lookup(object, m->pindex - offset);
	if (own && own->busy) {
		sleep_in_merge(object, backing, own);
		return true;
	}
	if (own && !own->valid) {
		/* Its place is taken, by somebody who wired it; not its contents. */
		pmap_copy_page(m, own);
		own->valid = m->valid;
		vm_page_dirty(own);
		drop_page(m);
		return false;
	}
	if (own || vm_pager_has_page(object, m->pindex - offset, NULL, NULL)) {
		drop_page(m);
		return false;
	}
	if (!vm_page_rename(m, object, pindex - offset)) {
		/* Should the page go again, what was older must not come in its place. */
		vm_pager_freespace(backing, pindex, 1);
		return false;
	}
	/* The kernel has no memory for the index: it will have some. */
	sleep_in_merge(object, backing, NULL);
	return true;
}

/*
 * A page of @object that is busy where @backing's pager has something, or NULL; both
 * are locked. It may be somebody's who found nothing in @object and is on his way
 * down: his page hides nothing as yet, and will go when he meets @backing dead.
 */
static struct vm_page *undecided_page(struct vm_object *object,
				      struct vm_object *backing)
{
	u64 offset = vm_atop(object->backing_offset), pindex = offset;
	unsigned long index;
	struct vm_page *m;

	if (!object->size)
		return NULL;
	if (!backing->ops->next) {
		xa_for_each(&object->pages, index, m) {
			if (m->busy)
				return m;
			cond_resched();
		}
		return NULL;
	}
	for (; backing->ops->next(backing, &pindex, offset + object->size - 1);
	     pindex++) {
		m = vm_page_lookup(object, pindex - offset);
		if (m && m->busy)
			return m;
		cond_resched();
	}
	return NULL;
}

/*
 * Move everything that @object does not hide from @backing to it; both are locked, and
 * in the end, too, with nothing left in @backing.
 */
static void merge_contents(struct vm_object *object, struct vm_object *backing)
{
	unsigned long index;
	struct vm_page *m;
	bool again;
	int error;

	do {
		again = false;
		index = 0;
		while ((m = xa_find(&backing->pages, &index, ULONG_MAX,
				    XA_PRESENT))) {
			cond_resched();
			/* Whatever was passed over meanwhile: from the start. */
			if (merge_page(object, backing, m))
				index = 0;
		}
		if (backing->paging_in_progress) {
			/* Who went down before it was dead; he may add pages. */
			vm_count(collapse_waits);
			vm_object_unlock(object);
			vm_object_pip_sleep(backing);
			vm_object_lock(object);
			vm_object_lock_backing(backing);
			again = true;
			continue;
		}
		if (backing->ops && backing->ops->copy) {
			m = undecided_page(object, backing);
			if (m) {
				sleep_in_merge(object, backing, m);
				again = true;
				continue;
			}
			vm_object_pip_add(backing, 1);
			error = backing->ops->copy(backing, object,
						   vm_atop(object->backing_offset),
						   true);
			vm_object_pip_wakeup(backing, 1);
			if (error) {
				sleep_in_merge(object, backing, NULL);
				again = true;
			}
		}
	} while (again || backing->resident || backing->paging_in_progress);
}

/*
 * Make one of two. Both are locked on entry, only @object on return; the locks may have
 * been dropped in between. Returns whether @backing has gone.
 */
static bool merge(struct vm_object *object, struct vm_object *backing)
{
	struct vm_object *below;

	vm_object_set_flag(backing, OBJ_DEAD);
	vm_object_pip_add(object, 1);
	merge_contents(object, backing);
	vm_object_pip_wakeup(object, 1);

	if (WARN(atomic_read(&backing->ref_count) != 1,
		 "uma: object %p was referenced again during its collapse\n",
		 backing)) {
		vm_object_unlock(backing);
		return false;
	}
	if (backing->ops && backing->ops->dealloc)
		backing->ops->dealloc(backing);

	/* What @backing had below it, with reference and place, is @object's. */
	spin_lock(&vm_shadow_lock);
	list_del_init(&object->shadow_list);
	WRITE_ONCE(backing->shadow_count, backing->shadow_count - 1);
	below = backing->backing_object;
	if (below)
		list_replace_init(&backing->shadow_list, &object->shadow_list);
	object->backing_object = below;
	backing->backing_object = NULL;
	spin_unlock(&vm_shadow_lock);
	object->backing_offset = below ? object->backing_offset +
					 backing->backing_offset : 0;
	object->generation++;
	vm_count(collapses);
	trace_vm_collapse(object, backing, below, object->resident);
	vm_object_destroy(backing);
	return true;
}

/* The same as vm_object_collapse(), but for what it leaves in the list. */
static void collapse(struct vm_object *object)
{
	struct vm_object *backing;

	vm_object_assert_locked(object);
	while ((backing = object->backing_object)) {
		vm_object_lock_backing(backing);
		if (!may_collapse(object, backing)) {
			vm_object_unlock(backing);
			return;
		}
		if (atomic_read(&backing->ref_count) == 1) {
			if (!merge(object, backing))
				return;
		} else if (hides_all(object, backing)) {
			bypass(object, backing);
		} else {
			vm_object_unlock(backing);
			return;
		}
	}
}

/* Releasing. */

/*
 * Lock the one shadow through which alone @object, locked, will be used once the
 * caller has let go of it. Returns NULL if there is no such shadow, or an ERR_PTR()
 * if somebody has it locked.
 */
static struct vm_object *lock_last_shadow(struct vm_object *object)
{
	struct vm_object *shadow = NULL;

	spin_lock(&vm_shadow_lock);
	if (atomic_read(&object->ref_count) == 2 && object->shadow_count == 1) {
		shadow = list_first_entry(&object->shadow_head,
					  struct vm_object, shadow_list);
		/* From below, so never wait: the lists' lock keeps it alive. */
		if (!vm_object_trylock(shadow))
			shadow = ERR_PTR(-EAGAIN);
	}
	spin_unlock(&vm_shadow_lock);
	return shadow;
}

/*
 * Wait until neither of the two is paging. Both are locked on entry; @shadow, to
 * which the caller has a reference, and nothing else on return. Returns whether it
 * still shadows @object.
 */
static bool wait_for_paging(struct vm_object *object, struct vm_object *shadow)
{
	for (;;) {
		if (shadow->paging_in_progress) {
			vm_object_unlock(object);
			vm_object_pip_sleep(shadow);
			vm_object_lock(shadow);
		} else if (object->paging_in_progress) {
			vm_object_unlock(shadow);
			vm_object_pip_sleep(object);
			vm_object_lock(shadow);
		} else {
			vm_object_unlock(object);
			return true;
		}
		/* A pointer, no more, unless the shadow has it. */
		if (shadow->backing_object != object)
			return false;
		vm_object_lock_backing(object);
	}
}

/*
 * The caller's is the last reference to @object, locked, but that of @shadow, locked
 * from below: let go of it and make one of the two. Neither is locked on return.
 * Returns the shadow if it is the caller's to let go of.
 */
static struct vm_object *release_to_shadow(struct vm_object *object,
					   struct vm_object *shadow)
{
	/*
	 * Dead: its own shadow is taking it over, and will go on with @object. A
	 * reference to it now would be one too many (OB-04).
	 */
	if (shadow->flags & OBJ_DEAD || !vm_object_is_anonymous(shadow) ||
	    !vm_object_is_anonymous(object)) {
		atomic_dec(&object->ref_count);
		vm_object_unlock(shadow);
		vm_object_unlock(object);
		return NULL;
	}
	vm_object_reference(shadow);
	atomic_dec(&object->ref_count);
	if (wait_for_paging(object, shadow) &&
	    atomic_read(&shadow->ref_count) > 1)
		collapse(shadow);
	vm_object_unlock(shadow);
	return shadow;
}

/* The same as vm_object_deallocate(), but for what it leaves in the list. */
static void deallocate(struct vm_object *object)
{
	struct vm_object *shadow, *backing;

	while (object) {
		vm_object_lock(object);
		shadow = lock_last_shadow(object);
		if (IS_ERR(shadow)) {
			/* Whoever has it comes down to us next: out of the way. */
			vm_object_unlock(object);
			schedule_timeout_idle(1);
			continue;
		}
		if (shadow) {
			object = release_to_shadow(object, shadow);
			continue;
		}
		switch (atomic_dec_return(&object->ref_count)) {
		case 0:
			backing = object->backing_object;
			vm_object_unlink_shadow(object);
			vm_object_terminate(object);
			object = backing;
			continue;
		case 1:
			if (!READ_ONCE(object->shadow_count))
				vm_object_set_flag(object, OBJ_ONEMAPPING);
			break;
		}
		WARN(atomic_read(&object->ref_count) < 0,
		     "uma: object %p was let go of too often\n", object);
		vm_object_unlock(object);
		return;
	}
}

/* Let go of what collapses left in the list, until none leaves any more. */
static void release_now(void)
{
	struct vm_object *object;

	for (;;) {
		spin_lock(&release_lock);
		object = list_first_entry_or_null(&release_list,
						  struct vm_object,
						  release_link);
		if (object)
			list_del_init(&object->release_link);
		spin_unlock(&release_lock);
		if (!object)
			return;
		deallocate(object);
	}
}

/**
 * vm_object_deallocate() - let go of a reference to an object
 * @object: the object; NULL does nothing
 *
 * With the last one the object goes, and its reference to what it shadows, and so on.
 * With the last one but that of a shadow, the two become one, unless somebody is
 * at it already.
 *
 * Context: process context, no object's lock held. May sleep.
 */
void vm_object_deallocate(struct vm_object *object)
{
	deallocate(object);
	release_now();
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_object_deallocate);

/**
 * vm_object_collapse() - merge an object with what it shadows, as far as possible
 * @object: the object, locked, to which the caller has a reference; he has no busy
 *	page in it, and is not paging. The lock may be dropped in between and is held
 *	on return
 *
 * Context: process context, no other object's lock held. May sleep.
 */
void vm_object_collapse(struct vm_object *object)
{
	collapse(object);
	if (list_empty_careful(&release_list))
		return;
	vm_object_unlock(object);
	release_now();
	vm_object_lock(object);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_object_collapse);

/**
 * vm_object_chain_length() - how many objects a look-up may have to go through
 * @object: the first, referenced, not locked; or NULL
 *
 * Context: process context, no object's lock held. May sleep.
 * Return: their number.
 */
unsigned int vm_object_chain_length(struct vm_object *object)
{
	struct vm_object *below;
	unsigned int n = 0;

	if (!object)
		return 0;
	vm_object_lock(object);
	for (;;) {
		n++;
		below = vm_object_step_down(object);
		if (!below)
			break;
		object = below;
	}
	vm_object_unlock(object);
	return n;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_object_chain_length);
