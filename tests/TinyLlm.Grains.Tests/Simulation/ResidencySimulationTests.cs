using System.Net;
using TinyLlm.Grains.Placement;

namespace TinyLlm.Grains.Tests.Simulation;

/// <summary>
/// Placement and eviction together, on simulated traffic with the real rules: requests go the way of ServingRoute, silos take in by RoomRule and evict
/// by EvictionOrder. Compared with the best fixed placement that knows every model's popularity, or rather with more than it can reach: the whole cluster's
/// memory as one, filled with the most requests per byte of models that fit on a silo at all. (What does not fit nobody can place: on two hundred silos with
/// room for five models of mean size, one of the hottest models may be such a one, and the memory as one would serve a point of hit rate more.)
/// TINYLLM_SIMULATION=full runs 100,000 models on four sizes of cluster, on the traffic that the rules were made by and on another; else 20,000 on two.
/// </summary>
public sealed class ResidencySimulationTests
{
    private static readonly bool s_isFull = Environment.GetEnvironmentVariable("TINYLLM_SIMULATION") == "full";
    private static readonly int s_models = s_isFull ? 100_000 : 20_000;

    /// <summary>The rules were made by the first alone.</summary>
    private static readonly int[] s_seeds = s_isFull ? [7, 11] : [7];

    /// <summary>Requests of a phase; the first phase is not counted, for there the memory fills.</summary>
    private static readonly int s_requests = 20 * s_models;

    public static TheoryData<int, double, double, bool, int> Clusters()
    {
        TheoryData<int, double, double, bool, int> data = [];
        foreach (int silos in s_isFull ? [4, 16, 64, 200] : (int[])[4, 20])
        {
            foreach (double exponent in (double[])[0.8, 1.0])
            {
                foreach (double share in s_isFull ? [0.01, 0.03, 0.1] : (double[])[0.01, 0.1])
                {
                    foreach (int seed in s_seeds)
                    {
                        data.Add(silos, exponent, share, false, seed);
                        data.Add(silos, exponent, share, true, seed);
                    }
                }
            }
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Clusters))]
    public void Traffic_ZipfOverManyModels_HitRateNearTheBestFixedPlacement(int silos, double exponent, double memoryShare, bool drifts, int seed)
    {
        ModelTraffic traffic = new(s_models, exponent, seed);
        SiloAddress[] addresses = [.. Enumerable.Range(0, silos).Select(Silo)];
        long memory = (long)(traffic.Bytes.Sum() * memoryShare), siloBytes = memory / silos;
        Dictionary<SiloAddress, SimulatedSilo> cluster = addresses.ToDictionary(silo => silo, _ => new SimulatedSilo(siloBytes));
        SiloSet set = new(addresses);
        (SimulatedSilo Silo, ServingPlace Place)[][] routes = [.. Enumerable.Range(0, s_models).Select(model => Route(cluster, $"version{model}", set))];
        RunPhase(traffic, routes);

        double hits = 0, best = 0, asOne = 0;
        foreach (SimulatedSilo silo in cluster.Values) silo.Served = 0;
        const int Phases = 2;
        for (int phase = 0; phase < Phases; phase++)
        {
            if (drifts) traffic.Drift();
            hits += RunPhase(traffic, routes) / Phases;
            best += BestFixed(traffic, memory, siloBytes) / Phases;
            asOne += BestFixed(traffic, memory, memory) / Phases;
        }

        double busiest = cluster.Values.Max(silo => silo.Served) / cluster.Values.Average(silo => silo.Served);
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{silos} silos, Zipf {exponent}, memory {memoryShare:P0}, drift {drifts}, seed {seed}: hit rate {hits:P1}, best fixed {best:P1}, behind by {100 * (best - hits):F1} points (and by {100 * (asOne - hits):F1} behind a single memory); the busiest silo serves {busiest:F1} times the mean");
        Assert.InRange(best - hits, -0.01, 0.03);
    }

    /// <summary>A version's whole route: it ends with the silo that may not decline.</summary>
    private static (SimulatedSilo Silo, ServingPlace Place)[] Route(Dictionary<SiloAddress, SimulatedSilo> cluster, string version, SiloSet silos)
    {
        List<(SimulatedSilo, ServingPlace Place)> route = [];
        do
        {
            (SiloAddress silo, ServingPlace place) = ServingRoute.Step(silos, version, route.Count);
            route.Add((cluster[silo], place));
        }
        while (route[^1].Place != ServingPlace.Any);
        return [.. route];
    }

    /// <summary>The share of a phase's requests that found their model.</summary>
    private static double RunPhase(ModelTraffic traffic, (SimulatedSilo Silo, ServingPlace Place)[][] routes)
    {
        int hits = 0;
        for (int i = 0; i < s_requests; i++)
        {
            int model = traffic.Next();
            SimulatedAnswer answer = SimulatedAnswer.Declined;
            foreach ((SimulatedSilo silo, ServingPlace place) in routes[model])
            {
                answer = silo.Request(model, traffic.Bytes[model], place);
                if (answer != SimulatedAnswer.Declined) break;
            }
            if (answer == SimulatedAnswer.Hit) hits++;
        }
        return hits / (double)s_requests;
    }

    /// <summary>The share of requests for the models that are worth most for their bytes, without those that are larger than <paramref name="mostBytes"/>.</summary>
    private static double BestFixed(ModelTraffic traffic, long memoryBytes, long mostBytes)
    {
        double[] popularity = traffic.Popularity();
        double sum = 0;
        long left = memoryBytes;
        foreach (int model in Enumerable.Range(0, s_models).OrderByDescending(model => popularity[model] / traffic.Bytes[model]))
        {
            if (traffic.Bytes[model] > left || traffic.Bytes[model] > mostBytes) continue;
            left -= traffic.Bytes[model];
            sum += popularity[model];
        }
        return sum;
    }

    private static SiloAddress Silo(int number) => SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 11000 + number), 1000 + number);
}
