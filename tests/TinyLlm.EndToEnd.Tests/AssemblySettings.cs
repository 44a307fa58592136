using TinyLlm.EndToEnd.Tests.Harness;
using Xunit.Sdk;
using Xunit.v3;

// One host, and one thing at a time: each test may count what the host does and keeps.
[assembly: Parallelization(Mode = ParallelMode.None)]
[assembly: AssemblyFixture(typeof(SharedHost))]
