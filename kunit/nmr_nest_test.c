// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stacks of layers. Each layer is a client of the layer below, and registers a provider
 * for the layer above when it attaches. One register call therefore brings up all layers,
 * each in the attach callback of the layer below.
 */
#include <kunit/test.h>
#include <linux/nmr.h>
#include <linux/sched.h>

#include "detour.h"
#include "harness.h"

#define MAX_LAYERS	64
#define ON_ONE_STACK	8	/* bound of the contract */

/*
 * @client: client of the layer below; not registered in the first layer
 * @provider: provider of the layer above; not registered in the last layer
 * @attacher: the task that the attach callback ran in
 */
struct layer {
	struct stack *of;
	guid_t below, above;
	struct nmr_client_handle client;
	struct nmr_provider_handle provider;
	struct task_struct *attacher;
};

/* @at_top: runs in the attach callback of the last layer, and thus inside all others */
struct stack {
	struct nt *nt;
	unsigned int layers;
	unsigned int up;
	void (*at_top)(struct stack *stack);
	struct layer layer[MAX_LAYERS];
};

static int attach_client(struct nmr_binding *binding, void *context,
			 const struct nmr_registration_instance *instance,
			 const struct nmr_endpoint *client, struct nmr_endpoint *provider)
{
	return 0;
}

static int provide(struct layer *layer)
{
	const struct nmr_provider_characteristics p = {
		.attach_client = attach_client,
		.instance = { .npi_id = &layer->above, .module_id = &layer->above },
	};

	return nmr_register_provider(&p, layer, &layer->provider);
}

static int attach_provider(struct nmr_binding *binding, void *context,
			   const struct nmr_registration_instance *instance)
{
	struct layer *layer = context;
	struct stack *stack = layer->of;
	int err = nmr_client_attach_provider(binding, NULL, NULL);

	if (err)
		return err;
	layer->attacher = current;
	if (++stack->up < stack->layers)
		return provide(layer);
	if (stack->at_top)
		stack->at_top(stack);
	return 0;
}

static int consume(struct layer *layer)
{
	const struct nmr_client_characteristics c = {
		.attach_provider = attach_provider,
		.instance = { .npi_id = &layer->below, .module_id = &layer->below },
	};

	return nmr_register_client(&c, layer, &layer->client);
}

/* Make a stack of layers that wait for the first one, which is only a provider. */
static struct stack *new_stack(struct nt *nt, unsigned int layers)
{
	struct stack *stack = nt_zalloc(nt, sizeof(*stack));
	unsigned int i;

	stack->nt = nt;
	stack->layers = layers;
	for (i = 0; i <= layers; i++) {
		struct layer *layer = &stack->layer[i];

		layer->of = stack;
		guid_gen(&layer->above);
		if (!i)
			continue;
		layer->below = layer[-1].above;
		KUNIT_ASSERT_EQ(nt->test, consume(layer), 0);
	}
	return stack;
}

static void tear_down(struct stack *stack)
{
	unsigned int i;

	for (i = 0; i <= stack->layers; i++) {
		nmr_deregister_client(stack->layer[i].client);
		nmr_deregister_provider(stack->layer[i].provider);
	}
	for (i = 0; i <= stack->layers; i++) {
		nmr_wait_for_client_deregister_complete(stack->layer[i].client);
		nmr_wait_for_provider_deregister_complete(stack->layer[i].provider);
	}
}

/* Cases */

static const unsigned int heights[] = { 8, 9, 40, 63 };

static void height_desc(const unsigned int *height, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u layers", *height);
}

KUNIT_ARRAY_PARAM(height, heights, height_desc);

/* Bring up a stack, and expect that no task nests more callbacks than the bound. */
static void stack_comes_up_in_one_register_call(struct kunit *test)
{
	unsigned int layers = *(const unsigned int *)test->param_value;
	struct nt *nt = test->priv;
	struct stack *stack = new_stack(nt, layers);
	unsigned int i, in_one_task = 0;

	KUNIT_EXPECT_EQ(test, provide(&stack->layer[0]), 0);
	KUNIT_EXPECT_EQ(test, stack->up, layers);
	for (i = 1; i <= layers; i++) {
		in_one_task = stack->layer[i].attacher == stack->layer[i - 1].attacher ?
			      in_one_task + 1 : 1;
		KUNIT_EXPECT_LE(test, in_one_task, ON_ONE_STACK);
	}
	KUNIT_EXPECT_PTR_EQ(test, stack->layer[1].attacher, current);
	tear_down(stack);
}

static int wait_for_client(struct layer *layer)
{
	nmr_deregister_client(layer->client);
	return nmr_wait_for_client_deregister_complete_timeout(layer->client, 1);
}

static int wait_for_provider(struct layer *layer)
{
	nmr_deregister_provider(layer->provider);
	return nmr_wait_for_provider_deregister_complete_timeout(layer->provider, 1);
}

/* Wait for each layer below, which would be a wait for this callback. */
static void wait_for_all_below(struct stack *stack)
{
	struct nt *nt = stack->nt;
	unsigned int i;

	for (i = 1; i <= stack->layers; i++)
		nt_check(nt, nmr_client_wait_for_binding(stack->layer[i].client, 1) ==
			 -EDEADLK);
	for (i = 0; i <= stack->layers; i++) {
		if (i)
			nt_check(nt, wait_for_client(&stack->layer[i]) == -EDEADLK);
		if (i < stack->layers)
			nt_check(nt, wait_for_provider(&stack->layer[i]) == -EDEADLK);
	}
}

static void wait_for_a_layer_below(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct stack *stack = new_stack(nt, *(const unsigned int *)test->param_value);

	stack->at_top = wait_for_all_below;
	KUNIT_EXPECT_EQ(test, provide(&stack->layer[0]), 0);
	KUNIT_EXPECT_EQ(test, stack->up, stack->layers);
	tear_down(stack);
}

/* Wait for parties that no callback below depends on. */
static void wait_for_a_bystander(struct stack *stack)
{
	struct nt_party *client = nt_client(stack->nt), *provider = nt_provider(stack->nt);

	nt_check(stack->nt, !nt_register(client));
	nt_check(stack->nt, nmr_client_wait_for_binding(client->client, 1) == -ETIMEDOUT);
	nt_check(stack->nt, !nt_register(provider));
	nt_check(stack->nt, nmr_client_wait_for_binding(client->client, 1) == 0);
	nt_leave(provider);
	nt_leave(client);
}

static void wait_for_another_stack(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct stack *stack = new_stack(nt, *(const unsigned int *)test->param_value);

	stack->at_top = wait_for_a_bystander;
	KUNIT_EXPECT_EQ(test, provide(&stack->layer[0]), 0);
	KUNIT_EXPECT_EQ(test, stack->up, stack->layers);
	tear_down(stack);
}

/* Offers that a worker makes */

static const int answers[] = { 0, -ENODEV, -EPROBE_DEFER, -EIO };

static int detach_at_once(struct nt_binding *nb, int ret)
{
	nmr_detach_binding(nb->b, NMR_DETACH_ABORT);
	return ret;
}

/* Expect that each client is asked before the register call returns. */
static void make_offers(struct stack *stack)
{
	struct nt *nt = stack->nt;
	struct nt_party *client[2 * ARRAY_SIZE(answers)], *provider = nt_provider(nt);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(client); i++) {
		client[i] = nt_client(nt);
		client[i]->at[NT_C_BOUND].ret = answers[i / 2];
		if (i & 1)
			client[i]->at[NT_C_BOUND].hook = detach_at_once;
		nt_check(nt, !nt_register(client[i]));
	}
	nt_check(nt, !nt_register(provider));
	for (i = 0; i < ARRAY_SIZE(client); i++)
		nt_check(nt, nt_returned(client[i], NT_C_ATTACH) >= 1);
	nt_check(nt, nt_returned(provider, NT_P_ATTACHED) == 1);
	nt_leave(provider);
	for (i = 0; i < ARRAY_SIZE(client); i++)
		nt_leave(client[i]);
}

static void offers_have_been_made_when_register_returns(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct stack *stack = new_stack(nt, *(const unsigned int *)test->param_value);

	stack->at_top = make_offers;
	KUNIT_EXPECT_EQ(test, provide(&stack->layer[0]), 0);
	KUNIT_EXPECT_EQ(test, stack->up, stack->layers);
	tear_down(stack);
}

#ifdef CONFIG_KPROBES
/* Offers that need no worker */

static atomic_t elsewhere;	/* offers of register calls that workers have made */

static bool count_elsewhere(struct pt_regs *regs)
{
	atomic_inc(&elsewhere);
	return false;
}

static struct nt_detour elsewhere_detour = {
	.function = "nmr_callback_stand_in",
	.take	  = count_elsewhere,
};

static int begin_elsewhere(struct kunit_resource *res, void *context)
{
	res->data = &elsewhere_detour;
	return nt_detour_begin(&elsewhere_detour);
}

static void end_elsewhere(struct kunit_resource *res)
{
	nt_detour_end(&elsewhere_detour);
}

/* Bind a client and a provider that have no callbacks. */
static void bind_without_callbacks(struct stack *stack)
{
	const guid_t *id = &stack->layer[stack->layers].above;
	const struct nmr_client_characteristics c = {
		.instance = { .npi_id = id, .module_id = id },
	};
	const struct nmr_provider_characteristics p = { .instance = c.instance };
	struct nmr_provider_handle provider;
	struct nmr_client_handle client;

	nt_check(stack->nt, !nmr_register_client(&c, NULL, &client));
	nt_check(stack->nt, !nmr_register_provider(&p, NULL, &provider));
	nt_check(stack->nt, nmr_client_wait_for_binding(client, 1) == 0);
	nmr_deregister_provider(provider);
	nmr_wait_for_provider_deregister_complete(provider);
	nmr_deregister_client(client);
	nmr_wait_for_client_deregister_complete(client);
}

/* Make an offer as deep in callbacks as a stack allows. It must not wait for a worker. */
static void offer_without_callbacks_nests_none(struct kunit *test)
{
	struct stack *stack = new_stack(test->priv, ON_ONE_STACK);

	KUNIT_ASSERT_NOT_NULL(test, kunit_alloc_resource(test, begin_elsewhere, end_elsewhere,
							 GFP_KERNEL, NULL));
	atomic_set(&elsewhere, 0);
	stack->at_top = bind_without_callbacks;
	KUNIT_EXPECT_EQ(test, provide(&stack->layer[0]), 0);
	KUNIT_EXPECT_EQ(test, stack->up, ON_ONE_STACK);
	KUNIT_EXPECT_EQ(test, atomic_read(&elsewhere), 0);
	tear_down(stack);
}
#endif

static struct kunit_case nmr_nest_cases[] = {
	KUNIT_CASE_PARAM(stack_comes_up_in_one_register_call, height_gen_params),
	KUNIT_CASE_PARAM(wait_for_a_layer_below, height_gen_params),
	KUNIT_CASE_PARAM(wait_for_another_stack, height_gen_params),
	KUNIT_CASE_PARAM(offers_have_been_made_when_register_returns, height_gen_params),
#ifdef CONFIG_KPROBES
	KUNIT_CASE(offer_without_callbacks_nests_none),
#endif
	{}
};

static struct kunit_suite nmr_nest_suite = {
	.name = "nmr_nest",
	.init = nt_init,
	.test_cases = nmr_nest_cases,
};

kunit_test_suite(nmr_nest_suite);
