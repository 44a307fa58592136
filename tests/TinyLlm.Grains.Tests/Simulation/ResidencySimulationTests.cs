using System.Net;
using TinyLlm.Grains.Placement;

namespace TinyLlm.Grains.Tests.Simulation;

/// <summary>
/// Placement and eviction together, on simulated traffic with the real rules: requests go to the silo that rendezvous hashing names, and each silo
/// evicts by EvictionOrder. Compared with the best fixed placement that knows every model's popularity: the whole
/// cluster's memory as one, filled with the most requests per byte. A silo whose memory holds a few models only is another matter: one large cold
/// model that must be served empties it, whatever the rule, so there the distance is printed and bounded loosely.
/// TINYLLM_SIMULATION=full runs 100,000 models on four sizes of cluster; else 20,000 on two.
/// </summary>
public sealed class ResidencySimulationTests
{
    private static readonly bool s_isFull = Environment.GetEnvironmentVariable("TINYLLM_SIMULATION") == "full";
    private static readonly int s_models = s_isFull ? 100_000 : 20_000;

    /// <summary>Models of mean size in one silo's memory, from which on the hit rate must be near the best.</summary>
    private const int ManyModels = 40;

    /// <summary>Requests of a phase; the first phase is not counted, for there the memory fills.</summary>
    private static readonly int s_requests = 20 * s_models;

    public static TheoryData<int, double, double, bool> Clusters()
    {
        TheoryData<int, double, double, bool> data = [];
        foreach (int silos in s_isFull ? [4, 16, 64, 200] : (int[])[4, 20])
        {
            foreach (double exponent in (double[])[0.8, 1.0])
            {
                foreach (double share in s_isFull ? [0.01, 0.03, 0.1] : (double[])[0.01, 0.1])
                {
                    data.Add(silos, exponent, share, false);
                    data.Add(silos, exponent, share, true);
                }
            }
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Clusters))]
    public void Traffic_ZipfOverManyModels_HitRateNearTheBestFixedPlacement(int silos, double exponent, double memoryShare, bool drifts)
    {
        ModelTraffic traffic = new(s_models, exponent, seed: 7);
        SiloAddress[] addresses = [.. Enumerable.Range(0, silos).Select(Silo)];
        Dictionary<SiloAddress, int> indexes = addresses.Select((silo, index) => (silo, index)).ToDictionary(pair => pair.silo, pair => pair.index);
        int[] placed = [.. Enumerable.Range(0, s_models).Select(model => indexes[RendezvousHash.Ranked($"version{model}", addresses)[0]])];
        long memory = (long)(traffic.Bytes.Sum() * memoryShare);
        SimulatedSilo[] cluster = [.. addresses.Select(_ => new SimulatedSilo(memory / silos))];
        RunPhase(traffic, cluster, placed);

        double hits = 0, best = 0;
        const int Phases = 2;
        for (int phase = 0; phase < Phases; phase++)
        {
            if (drifts) traffic.Drift();
            hits += RunPhase(traffic, cluster, placed) / Phases;
            best += BestFixed(traffic, memory) / Phases;
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{silos} silos, Zipf {exponent}, memory {memoryShare:P0}, drift {drifts}: hit rate {hits:P1}, best fixed {best:P1}, behind by {100 * (best - hits):F1} points");
        Assert.InRange(best - hits, -0.01, memoryShare * s_models / silos >= ManyModels ? 0.03 : 0.15);
    }

    /// <summary>The share of a phase's requests that found their model.</summary>
    private static double RunPhase(ModelTraffic traffic, SimulatedSilo[] cluster, int[] placed)
    {
        int hits = 0;
        for (int i = 0; i < s_requests; i++)
        {
            int model = traffic.Next();
            if (cluster[placed[model]].Request(model, traffic.Bytes[model])) hits++;
        }
        return hits / (double)s_requests;
    }

    private static double BestFixed(ModelTraffic traffic, long memoryBytes)
    {
        double[] popularity = traffic.Popularity();
        double sum = 0;
        long left = memoryBytes;
        foreach (int model in Enumerable.Range(0, s_models).OrderByDescending(model => popularity[model] / traffic.Bytes[model]))
        {
            if (traffic.Bytes[model] > left) continue;
            left -= traffic.Bytes[model];
            sum += popularity[model];
        }
        return sum;
    }

    private static SiloAddress Silo(int number) => SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 11000 + number), 1000 + number);
}
