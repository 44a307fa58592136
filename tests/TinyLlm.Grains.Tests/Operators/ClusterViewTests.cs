using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Operators;
using TinyLlm.Grains.Residency;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Operators;

public sealed class ClusterViewTests
{
    [Fact]
    public async Task List_TwoSilos_EachTellsWhatItIsAndHolds()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync(new TestSilo { Core = false }, new TestSilo { Device = null });
        TestUser alice = await cluster.CreateUserAsync("alice");
        await alice.PublishAsync("tiny");
        ModelLease lease = (await alice.LeaseAsync("tiny")).Lease;
        await cluster.GenerateAsync(lease, TestSession.Greedy(2));

        foreach (int asked in (int[])[0, 1])
        {
            Dictionary<string, ClusterSilo> seen = (await View(cluster, asked).ListAsync(TestContext.Current.CancellationToken)).ToDictionary(silo => silo.Address);
            Assert.Equal(2, seen.Count);
            ClusterSilo gpu = seen[cluster.Orleans.Silos[0].SiloAddress.ToParsableString()], core = seen[cluster.Orleans.Silos[1].SiloAddress.ToParsableString()];
            Assert.Equal(["gpu"], gpu.Roles.Names);
            Assert.Equal(["core"], core.Roles.Names);
            Assert.Null(core.Report!.Device);
            Assert.False(gpu.Report!.Draining);
            DeviceReport device = gpu.Report.Device!;
            Assert.Equal(("cpu", "simulated", 1L << 30), (device.Kind, device.Name, device.BudgetBytes));
            Assert.Equal(cluster.Loop(0).Budget.ReservedBytes, device.UsedBytes);
            ResidentReport model = Assert.Single(device.Models);
            Assert.Equal(("alice/tiny", lease.Version, TinyModel.WeightBytes, "f32", 0), (model.Model, model.Version, model.Bytes, model.Precision, model.Streams));
            Assert.Null(model.ExpiresAt);
        }
    }

    [Fact]
    public async Task List_ASiloThatDoesNotAnswer_IsShownWithoutAReport()
    {
        TaskCompletionSource answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using GrainCluster cluster = await GrainCluster.StartAsync(
            new TestSilo(), new TestSilo { Silo = silo => silo.AddIncomingGrainCallFilter(new Silence(answer.Task)) });
        string silent = cluster.Orleans.Silos[1].SiloAddress.ToParsableString();

        ClusterSilo seen = Assert.Single(await View(cluster, 0).ListAsync(TestContext.Current.CancellationToken), silo => silo.Address == silent);
        Assert.Equal((SiloStatus.Active, null), (seen.Status, seen.Report));
        Assert.Equal(["core", "gpu"], seen.Roles.Names); // these it said when it joined

        answer.SetResult();
        await Eventually.TrueAsync(async () => (await View(cluster, 0).ListAsync(TestContext.Current.CancellationToken)).All(silo => silo.Report is not null));
    }

    private static ClusterView View(GrainCluster cluster, int silo) => cluster.Services(silo).GetRequiredService<ClusterView>();

    /// <summary>Lets no report out before <paramref name="answer"/>.</summary>
    private sealed class Silence(Task answer) : IIncomingGrainCallFilter
    {
        public async Task Invoke(IIncomingGrainCallContext context)
        {
            if (context.Grain is IResidencyGrain && context.MethodName == nameof(IResidencyGrain.Describe)) await answer;
            await context.Invoke();
        }
    }
}
