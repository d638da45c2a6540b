// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clients' contiguous memory: what /dev/vmsim takes for those who want to see how it is
 * had. A client holds runs by number, until it gives one back or ends. Each page of
 * one counts against the client's limit of pages like those of its mappings, since
 * one open file is not to take the whole pool this way either.
 *
 * Numbers are handed out and taken back by the xarray, which has a lock: of two who
 * release one run at once, one finds it.
 */
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "uma/uma.h"
#include "vmsim/client.h"
#include "vmsim/contig.h"
#include "vmsim/contig_int.h"
#include "vmsim/vmsim_ctl.h"

static MALLOC_DEFINE(M_VMSIM, "vmsim contig", "ranges of clients of /dev/vmsim");

/**
 * struct client_run - contiguous memory of a client
 * @m: its first page, if it has no addresses
 * @npages: its pages
 * @addr: its address, or NULL
 * @size: bytes that were asked for
 */
struct client_run {
	struct vm_page *m;
	unsigned long npages;
	void *addr;
	unsigned long size;
};

static void run_release(struct vm_client *client, struct client_run *run)
{
	if (run->addr)
		contigfree(run->addr, run->size, M_VMSIM);
	else
		vm_page_release_contig(run->m, run->npages);
	vm_client_unreserve(client, run->npages);
	kfree(run);
}

/* Get the memory of a run; @vc says what is wanted, and where it is on return. */
static int run_take(struct client_run *run, const struct contig_req *req,
		    struct vmsim_contig *vc)
{
	int wait = vc->vc_flags & VMSIM_CONTIG_NOWAIT ? M_NOWAIT : M_WAITOK;
	int error;

	if (vc->vc_flags & VMSIM_CONTIG_MAPPED) {
		error = contig_malloc(vc->vc_size, M_VMSIM, wait, vc->vc_low,
				      vc->vc_high, vc->vc_align, vc->vc_boundary,
				      &run->addr);
		if (!error)
			vc->vc_phys = vtophys(run->addr);
	} else {
		error = contig_alloc(req, vc->vc_flags & VMSIM_CONTIG_OLD ?
				     CONTIG_OLD : CONTIG_NEW, wait, &run->m);
		if (!error)
			vc->vc_phys = vm_page_to_phys(run->m);
	}
	return error;
}

/**
 * vm_client_contig() - take contiguous memory for a client
 * @client: the client
 * @vc: what is wanted; where it is, and its number, on return
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL, -ENXIO, -ENOMEM.
 */
int vm_client_contig(struct vm_client *client, struct vmsim_contig *vc)
{
	struct contig_req req;
	struct client_run *run;
	int error;

	vc->vc_align = vc->vc_align ?: PAGE_SIZE;
	if (contig_req_init(&req, vc->vc_size, vc->vc_low, vc->vc_high,
			    vc->vc_align, vc->vc_boundary))
		return -EINVAL;
	error = vm_client_reserve(client, req.npages);
	if (error)
		return error;
	run = kzalloc(sizeof(*run), GFP_KERNEL_ACCOUNT);
	error = run ? run_take(run, &req, vc) : -ENOMEM;
	if (error) {
		vm_client_unreserve(client, req.npages);
		kfree(run);
		return error;
	}
	run->npages = req.npages;
	run->size = vc->vc_size;
	error = xa_alloc(&client->runs, &vc->vc_id, run, xa_limit_31b,
			 GFP_KERNEL_ACCOUNT);
	if (error)
		run_release(client, run);
	return error;
}

/**
 * vm_client_release() - give a client's contiguous memory back
 * @client: the client
 * @id: the memory's number
 *
 * Context: process, may sleep.
 * Return: 0; -ENOENT if it has none of that number.
 */
int vm_client_release(struct vm_client *client, u32 id)
{
	struct client_run *run = xa_erase(&client->runs, id);

	if (!run)
		return -ENOENT;
	run_release(client, run);
	return 0;
}

/**
 * vm_client_contig_begin() - a client comes
 * @client: the client
 */
void vm_client_contig_begin(struct vm_client *client)
{
	xa_init_flags(&client->runs, XA_FLAGS_ALLOC1);
}

/**
 * vm_client_contig_end() - a client goes, and its memory goes back
 * @client: the client, which nobody uses any more
 *
 * Context: process, may sleep.
 */
void vm_client_contig_end(struct vm_client *client)
{
	struct client_run *run;
	unsigned long id;

	xa_for_each(&client->runs, id, run)
		run_release(client, run);
	xa_destroy(&client->runs);
}
