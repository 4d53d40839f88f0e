"""What a competent user would write today with PyTorch or JAX for the same Monte Carlo job.

Every peer samples res-3 networks ``h_{k+1} = h_k + L^-beta V ReLU(W h_k)`` at initialisation and measures the
four log ratios of the hidden state and of the gradient. PyTorch and JAX are no dependencies of the project:
run the scripts with the Python of an environment that has them,

    python benchmarks/peers/torch_loop.py --width 40 --depth 1000 --networks 20 --threads 2 --seed 1 --json -

``torch_loop``
    as experiments are usually written: one ``nn.Module`` a network, autograd, one network at a time;
``torch_bmm``, ``jax_vmap``
    batched, plain: what one writes first when the loop is too slow, with automatic differentiation;
``torch_batched``
    tuned: batches through ``torch.bmm``, hand-written backward pass, one generator and buffer a thread;
``jax_scan``
    tuned: ``vmap`` over networks, ``lax.scan`` over layers, compiled, hand-written backward pass.

Each script has a function ``run(Workload(...))`` that returns the same report as a dictionary. All compute in
float32 without carrying an exponent, as their users would: well below beta = 1/2 deep networks overflow.
"""
