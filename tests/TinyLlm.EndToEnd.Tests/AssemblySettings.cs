using TinyLlm.EndToEnd.Tests.Harness;

// One host, and one thing at a time: each test may count what the host does and keeps.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: AssemblyFixture(typeof(SharedHost))]
